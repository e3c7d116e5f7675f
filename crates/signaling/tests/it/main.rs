//! A real `Signaling` on a real socket, driven as the clients in the wild drive it.

mod apply;
mod clients;
mod collider;
mod dialects;
mod doors;
mod fire;
mod ghosts;
mod golden;
mod hello;
mod house;
mod http;
mod ice;
mod limits;
mod nodes;
mod peerjs;
mod peerjs_access;
mod phoenix;
mod rooms;
mod slow;
mod talks;
mod tracker;
mod v1;
mod v1_access;
mod websocket;
mod wire;
