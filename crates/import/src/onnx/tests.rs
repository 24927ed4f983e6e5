//! Small graphs, written here.
