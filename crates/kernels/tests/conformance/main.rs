//! Every kernel, at every CPU level, on generated shapes, against its definition in plain
//! `f64` loops: values, zero halos, and the same bytes for any number of threads.

mod activations;
mod attention;
mod blur;
mod broadcast;
mod convolution;
mod depthwise;
mod elementwise;
mod geometry;
mod lrn;
mod lrn_pool;
mod matching;
mod normalization;
mod pack;
mod pool;
mod quantised;
mod refusals;
mod strips;
mod support;
