//! A STUN/TURN server as a state machine: datagrams and time in, decisions out.
