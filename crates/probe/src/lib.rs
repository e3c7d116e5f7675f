//! A WebRTC client's view of a server: gather, allocate, relay real bytes, say why not.
