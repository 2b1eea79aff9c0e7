"""The shell around the pure core: Faust reads frames, a lane per partition computes, one fenced transaction per frame makes it durable.

``ports`` says what the shell needs from a processor; nothing in this folder knows what a customer is.
"""
