//! The laws of a room.

mod contract;
mod events;
mod exchange;
mod house;
mod identities;
mod kick;
mod leaving;
mod meeting;
mod meeting_model;
mod meetings;
mod model;
mod parlour;
mod queues;
mod random;
mod seats;
mod topics;
