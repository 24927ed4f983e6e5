//! Model files in, [`net::Network`] out: each format's reader, its limits on hostile input, and the
//! network that is built into the binary.
