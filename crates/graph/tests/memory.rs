//! Weights that are made when they are needed take memory only as long as somebody holds them.

use graph::Weights;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn weights_that_nobody_holds_take_no_memory() {
    const COUNT: usize = 1 << 20;
    let weights = Weights::later(COUNT, || Ok(vec![1.0; COUNT]));
    let doubled = weights.clone().map(COUNT, |from| from.iter().map(|x| 2.0 * x).collect());
    let _profiler = dhat::Profiler::builder().testing().build();
    let bytes = || dhat::HeapStats::get().curr_bytes;
    let held = doubled.get().expect("they are made");
    assert!((4 * COUNT..5 * COUNT).contains(&bytes()), "{} bytes", bytes());
    assert_eq!(held[COUNT - 1], 2.0);
    drop(held);
    assert!(bytes() < COUNT, "{} bytes", bytes());
}
