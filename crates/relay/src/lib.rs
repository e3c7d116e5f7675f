//! Sockets, workers and kernel tricks around the TURN server.
