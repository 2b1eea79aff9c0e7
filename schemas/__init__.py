"""What crosses a boundary: event and output models, topics, the metric dictionary, codec and publisher. Imports nothing of ours."""
