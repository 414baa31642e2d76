//! The clients that people run: Java clients shaped like the labs, kcat, Python.
