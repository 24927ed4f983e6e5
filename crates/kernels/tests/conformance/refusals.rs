//! What does not fit together is refused before anything is read or written: safe calls never leave the
//! slices they are given, whatever the sizes say.

use std::sync::Arc;

use kernels::blur::{Blur, blur};
use kernels::conv::{Call, Direct, Filters, Output, Placed, SharedMap, SharedMask, run};
use kernels::lrn::{self, Lrn};
use kernels::winograd::{Keep, Winograd};
use kernels::{
    BlockedMap, Context, ConvGeometry, CpuLevel, Destination, MapMut, MapRef, Relu, Threads, Vec16,
    WriteMode, lrn_pool, pool, resample, shuffle,
};

use crate::support::Blocked;

/// A context of the best level, for which convolutions take two blocks of outputs at once if any does.
fn best() -> Context {
    let level = CpuLevel::available().pop().expect("there is always a level");
    Context::new(Threads::new(1).expect("one thread"), level)
}

fn map(blocks: usize, height: usize, width: usize, halo: usize) -> BlockedMap {
    BlockedMap::new(blocks, height, width, halo).expect("a small map")
}

fn ones(map: &BlockedMap) -> Blocked {
    Blocked::filled(map, Vec16([1.0; 16]))
}

fn window(size: usize) -> ConvGeometry {
    ConvGeometry::new([size; 2], [1; 2], [1; 2], [size / 2; 2]).expect("a small window")
}

/// A convolution of `size` × `size` from 16 channels to `outs`.
fn direct(cx: &Context, outs: usize, size: usize) -> Arc<Direct> {
    let (in_slots, out_slots): (Vec<usize>, Vec<usize>) = ((0..16).collect(), (0..outs).collect());
    let (weights, bias) = (vec![1.0; outs * 16 * size * size], vec![7.0; outs]);
    let filters = Filters::new(window(size), 1, &weights, &bias, &in_slots, &out_slots);
    Arc::new(Direct::new(&filters.forward(), cx).expect("a little memory"))
}

#[test]
fn extents_that_do_not_fit_the_address_space_are_refused() {
    let half = usize::MAX / 2 + 1;
    for [blocks, height, width, halo] in [
        [1, half, 2, 0],
        [half, 1, 2, 0],
        [2, 2, half, 0],
        [1, 1, 1, half],
        [0, half, half, 0],
        [1, 0, half, 1],
        [1, 1, isize::MAX as usize / 64 + 1, 0],
    ] {
        let map = BlockedMap::new(blocks, height, width, halo);
        assert!(map.is_none(), "{blocks} × {height} × {width} with {halo}");
    }
    assert!(map(1, 4, 4, 1).with_blocks(half).is_none());
    for [kernel, stride, dilation, padding] in [
        [0, 1, 1, 0],
        [1, 0, 1, 0],
        [1, 1, 0, 0],
        [3, 1, half, 0],
        [1, 1, 1, half],
        [half, 1, 1, 0],
    ] {
        let geometry = ConvGeometry::new([1, kernel], [1, stride], [1, dilation], [0, padding]);
        assert!(geometry.is_none(), "{kernel}, {stride}, {dilation}, {padding}");
    }
    assert!(ConvGeometry::new([1 << 31; 2], [1; 2], [1; 2], [0; 2]).is_none());
}

#[test]
#[should_panic(expected = "the slice is not the map's")]
fn a_map_of_another_slice_is_refused() {
    MapRef::new(map(1, 4, 4, 1), &[Vec16::default(); 35]);
}

#[test]
#[should_panic(expected = "the slice is not the map's")]
fn a_map_written_to_another_slice_is_refused() {
    MapMut::new(map(1, 4, 4, 1), &mut [Vec16::default(); 35]);
}

#[test]
#[should_panic(expected = "the mask is not the map's")]
fn a_mask_of_another_map_is_refused() {
    let mut y = ones(&map(1, 4, 4, 0));
    Destination::new(y.write(), WriteMode::Overwrite, Some(&[0; 15]));
}

#[test]
#[should_panic(expected = "the maps' blocks are not the weights'")]
fn a_convolution_is_not_placed_on_maps_of_other_channels() {
    let map = map(1, 4, 4, 0);
    Placed::new(direct(&best(), 32, 1), map, map, true);
}

#[test]
#[should_panic(expected = "the halo is too small")]
fn a_window_that_reaches_beyond_the_halo_is_refused() {
    let map = map(1, 4, 4, 0);
    Placed::new(direct(&best(), 16, 3), map, map, true);
}

#[test]
#[should_panic(expected = "the convolution was placed on other maps")]
fn a_convolution_does_not_run_on_other_maps() {
    let cx = best();
    let placed = Placed::new(direct(&cx, 32, 1), map(1, 4, 4, 0), map(2, 4, 4, 0), true);
    let (x, mut y) = (ones(&map(1, 4, 4, 0)), ones(&map(1, 4, 4, 0)));
    let y = SharedMap::new(y.write());
    let mode = WriteMode::Overwrite;
    Call::new(&placed, x.read(), Output { y: &y, mode, bias: true, relu_mask: None, mask: None });
}

#[test]
#[should_panic(expected = "two convolutions write the same rows at different times")]
fn convolutions_do_not_share_a_mask_of_different_outputs() {
    let cx = best();
    let maps = [map(1, 4, 8, 0), map(1, 8, 4, 0)];
    let placed = maps.map(|map| Placed::new(direct(&cx, 16, 1), map, map, true));
    let (x, mut y) = (maps.map(|map| ones(&map)), maps.map(|map| ones(&map)));
    let (y, mut mask) = (y.each_mut().map(|y| SharedMap::new(y.write())), [0; 32]);
    let mask = SharedMask::new(Relu::new(&mut mask));
    let calls = [0, 1].map(|i| {
        let (mode, relu_mask) = (WriteMode::Overwrite, Some(&mask));
        let output = Output { y: &y[i], mode, bias: true, relu_mask, mask: None };
        Call::new(&placed[i], x[i].read(), output)
    });
    run(&cx, &calls);
}

#[test]
#[should_panic(expected = "packed for another level")]
fn weights_of_another_level_are_refused() {
    let scalar = Context::new(Threads::new(1).expect("one thread"), CpuLevel::Scalar);
    let map = map(1, 4, 4, 0);
    let (cx, x, mut y) = (best(), ones(&map), ones(&map));
    if cx.level() == CpuLevel::Scalar {
        panic!("packed for another level: there is none here");
    }
    let placed = Placed::new(direct(&cx, 16, 1), map, map, true);
    let y = SharedMap::new(y.write());
    let mode = WriteMode::Overwrite;
    let output = Output { y: &y, mode, bias: true, relu_mask: None, mask: None };
    run(&scalar, &[Call::new(&placed, x.read(), output)]);
}

#[test]
#[should_panic(expected = "the mask is not the map's")]
fn winograd_refuses_the_mask_of_another_map() {
    let (cx, map) = (best(), map(1, 4, 4, 0));
    let slots: Vec<usize> = (0..16).collect();
    let (weights, bias) = (vec![1.0; 16 * 16 * 9], vec![0.0; 16]);
    let filters = Filters::new(window(3), 1, &weights, &bias, &slots, &slots);
    let conv =
        Winograd::new(&filters.forward(), 6, Keep::Transformed, &cx).expect("a little memory");
    let (x, mut y, mut mask) = (ones(&map), ones(&map), [0; 15]);
    let (y, mask) = (SharedMap::new(y.write()), SharedMask::new(Relu::new(&mut mask)));
    let (mode, relu_mask) = (WriteMode::Overwrite, Some(&mask));
    conv.run(&cx, x.read(), &Output { y: &y, mode, bias: true, relu_mask, mask: None });
}

#[test]
#[should_panic(expected = "the weights are not the convolution's")]
fn filters_of_other_weights_are_refused() {
    Filters::new(window(3), 1, &[1.0; 8], &[0.0], &[0], &[0]);
}

#[test]
#[should_panic(expected = "the window is too large")]
fn a_normalisation_over_more_channels_than_memory_is_refused() {
    let map = map(1, 1, 1, 0);
    let lrn = Lrn { channels: 16, size: usize::MAX, alpha: 1.0, beta: 0.75, bias: 1.0 };
    lrn::forward(&best(), &lrn, ones(&map).read(), ones(&map).write());
}

#[test]
#[should_panic(expected = "the maps differ in extent")]
fn a_gradient_of_another_extent_than_its_activation_is_refused() {
    let lrn = Lrn { channels: 16, size: 5, alpha: 1.0, beta: 0.75, bias: 1.0 };
    let (x, mut dx) = (ones(&map(1, 2, 2, 0)), ones(&map(1, 64, 64, 0)));
    let (dy, argmax) = (ones(&map(1, 64, 64, 0)), vec![0; 16 * 64 * 64]);
    let dx = Destination::overwrite(dx.write());
    lrn_pool::backward(&best(), &lrn, &window(1), x.read(), dy.read(), &argmax, dx);
}

#[test]
#[should_panic(expected = "the slices are not the picture's")]
fn a_picture_whose_size_wraps_around_is_refused() {
    let blurs = [Blur { weights: &[1.0], mix: &[1.0; 4] }];
    let (half, mut to) = (usize::MAX / 2 + 1, [0.0; 16]);
    blur(&best(), &blurs, [2, half, 16], &[], &mut to[..0], &mut Vec::new(), &|_| ());
}

#[test]
#[should_panic(expected = "the window is too large")]
fn a_wide_window_after_a_normalisation_is_refused() {
    let lrn = Lrn { channels: 16, size: 5, alpha: 1.0, beta: 0.75, bias: 1.0 };
    let (x, mut y) = (ones(&map(1, 20, 20, 0)), ones(&map(1, 20, 20, 0)));
    lrn_pool::forward(&best(), &lrn, &window(17), x.read(), y.write(), &mut [0; 16 * 400]);
}

#[test]
#[should_panic(expected = "the argmax is not the map's")]
fn an_argmax_of_half_a_byte_each_is_refused_for_a_wide_window() {
    let (x, mut y) = (ones(&map(1, 20, 20, 0)), ones(&map(1, 20, 20, 0)));
    pool::max_forward(&best(), &window(17).into(), x.read(), y.write(), &mut [0; 8 * 400]);
}

#[test]
#[should_panic]
fn weights_that_were_left_out_are_not_packed() {
    let slots: Vec<usize> = (0..16).collect();
    let filters = Filters::without_weights(window(3), 1, &slots, &slots);
    let _ = Direct::new(&filters.forward(), &best());
}

#[test]
#[should_panic(expected = "the maps do not fit each other")]
fn pixels_without_room_for_their_rectangles_are_refused() {
    let (x, mut y) = (ones(&map(1, 4, 4, 0)), ones(&map(1, 7, 8, 0)));
    let y = Destination::overwrite(y.write());
    shuffle::depth_to_space(&best(), [2, 2], &[0; 4 * 16], x.read(), y);
}

#[test]
#[should_panic(expected = "no such slot")]
fn a_slot_beyond_the_map_is_refused() {
    let (x, mut y) = (ones(&map(1, 4, 4, 0)), ones(&map(1, 2, 2, 0)));
    let y = Destination::overwrite(y.write());
    shuffle::space_to_depth(&best(), [2, 2], &[4 * 16; 16], x.read(), y);
}

#[test]
#[should_panic(expected = "taps beside the map")]
fn taps_beside_the_map_are_refused() {
    let (x, mut y) = (ones(&map(1, 1, 1, 0)), ones(&map(1, 1, 1, 0)));
    let (on, beside) = ([(0, 1.0)], [(1, 1.0)]);
    let taps = [&on, &beside].map(|taps| resample::Taps::new(&[0, 1], taps));
    let y = Destination::overwrite(y.write());
    resample::resample(&best(), taps, &[Vec16::default()], x.read(), y);
}
