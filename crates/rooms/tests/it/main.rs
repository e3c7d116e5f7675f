//! The laws of a room.

mod contract;
mod house;
mod leaving;
mod meeting;
mod model;
mod queues;
mod seats;
