//! The configuration file from outside: what is accepted, what is said about the rest.

mod changes;
mod coturn;
mod dialects;
mod environment;
mod golden;
mod host;
mod hostile;
mod manual;
mod secrets;
