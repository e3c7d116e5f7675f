//! HTTP endpoints and WebSockets that clients speak, one dialect a file, around rooms.
