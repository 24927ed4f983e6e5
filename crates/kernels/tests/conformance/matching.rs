//! Matches of vectors.

use kernels::matching::{Candidates, best_matches};

use crate::support::*;

/// Whole numbers, whose sums are exact in any order, so that equal products are equal.
fn numbers(count: usize, random: &mut Random) -> Vec<f32> {
    (0..count).map(|_| random.within(0..=6) as f32 - 3.0).collect()
}

#[test]
fn the_first_of_the_greatest_products_is_chosen() {
    for seed in 0..cases(60) {
        let random = &mut Random(9000 + seed);
        let (channels, count) = (random.within(1..=40), random.within(1..=37));
        let columns = random.within(0..=90);
        let (y, x) = (numbers(channels * count, random), numbers(channels * columns, random));
        let product = |column: usize, candidate: usize| -> f32 {
            let of = |channel| x[channel * columns + column] * y[channel * count + candidate];
            (0..channels).map(of).sum()
        };
        let wanted: Vec<(u32, f32)> = (0..columns)
            .map(|column| {
                let products = (0..count).map(|candidate| product(column, candidate));
                let greatest = products.clone().fold(f32::NEG_INFINITY, f32::max);
                let first = products.clone().position(|product| product == greatest);
                (first.expect("there is one") as u32, greatest)
            })
            .collect();
        let candidates = Candidates::new(channels, count, &y);
        assert_eq!((candidates.channels(), candidates.count()), (channels, count));
        for cx in contexts().iter().flatten() {
            let (mut best, mut products) = (vec![u32::MAX; columns], vec![f32::NAN; columns]);
            best_matches(cx, &candidates, &x, &mut best, &mut products);
            let got: Vec<(u32, f32)> = best.into_iter().zip(products).collect();
            assert!(got == wanted, "case {seed}, {}: {got:?} is not {wanted:?}", cx.level());
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let random = &mut Random(9100);
    let (channels, count, columns) = (97, 53, 333);
    let mut values = |count: usize| -> Vec<f32> {
        (0..count).map(|_| random.value(false) as f32 / 3.0).collect()
    };
    let (y, x) = (values(channels * count), values(channels * columns));
    let candidates = Candidates::new(channels, count, &y);
    for pair in contexts() {
        let [one, two] = pair.map(|cx| {
            let (mut best, mut products) = (vec![0; columns], vec![0.0; columns]);
            best_matches(&cx, &candidates, &x, &mut best, &mut products);
            (best, products.iter().map(|x: &f32| x.to_bits()).collect::<Vec<u32>>())
        });
        assert!(one == two);
    }
}
