"""The stream engine: a pure core (merge, watermark, customer state, metrics, lane) and a thin Faust shell around it (engine)."""
