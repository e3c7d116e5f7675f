//! Rooms as pure values, and the two ports through which they are stored (store) and heard (bus).
