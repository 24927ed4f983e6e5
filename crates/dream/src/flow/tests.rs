//! Flow against known motions, and against OpenCV's DIS (`tools/flow/compare.py --fixture` makes
//! the fixture).

use kernels::Threads;

use super::{Dis, FlowField, Plane, Preset, agreement, is_cut};

/// The fixture's motion about its centre, as `tools/flow/compare.py` makes it.
const ZOOM: f64 = 1.03;
const DEGREES: f64 = 1.5;
const SHIFT: [f64; 2] = [2.5, -1.25];

fn fixture() -> (Plane, Plane) {
    let read = |bytes: &[u8]| {
        let values = bytes.strip_prefix(b"P5\n192 144\n255\n").expect("the fixture's header");
        Plane::from_fn(192, 144, |x, y| f32::from(values[y * 192 + x]))
    };
    (
        read(include_bytes!("../../tests/flow/from.pgm")),
        read(include_bytes!("../../tests/flow/to.pgm")),
    )
}

fn flow(preset: Preset, from: &Plane, to: &Plane) -> FlowField {
    Dis::new(preset).flow(&Threads::new(2).unwrap(), from, to)
}

/// A window of `plane` that starts at (x, y).
fn window(plane: &Plane, x: usize, y: usize, width: usize, height: usize) -> Plane {
    Plane::from_fn(width, height, |i, j| plane.row(y + j)[x + i])
}

/// Mean endpoint error against `truth`, `margin` pixels from the border on.
fn endpoint_error(
    field: &FlowField,
    margin: usize,
    truth: impl Fn(usize, usize) -> [f64; 2],
) -> f64 {
    let mut sum = 0.0;
    let mut count = 0;
    for y in margin..field.height - margin {
        for x in margin..field.width - margin {
            let ([dx, dy], [tx, ty]) = (field.at(x, y), truth(x, y));
            sum += (f64::from(dx) - tx).hypot(f64::from(dy) - ty);
            count += 1;
        }
    }
    sum / f64::from(count)
}

#[test]
fn rotation_zoom_and_shift_are_found_to_a_fraction_of_a_pixel() {
    let (from, to) = fixture();
    let (sin, cos) = DEGREES.to_radians().sin_cos();
    let truth = |x: usize, y: usize| {
        let (x, y) = (x as f64 - 95.5, y as f64 - 71.5);
        [ZOOM * (cos * x - sin * y) + SHIFT[0] - x, ZOOM * (sin * x + cos * y) + SHIFT[1] - y]
    };
    for (preset, bound) in [(Preset::Fast, 0.8), (Preset::Medium, 0.3), (Preset::Fine, 0.15)] {
        let error = endpoint_error(&flow(preset, &from, &to), 8, truth);
        assert!(error < bound, "{preset:?}: {error:.3} pixels");
    }
}

#[test]
fn agrees_with_opencv_away_from_the_border() {
    let (from, to) = fixture();
    let field = flow(Preset::Fine, &from, &to);
    let mut sum = 0.0;
    let mut count = 0;
    for line in include_str!("../../tests/flow/opencv.csv").lines().skip(1) {
        let values: Vec<f32> = line.split(',').map(|value| value.parse().unwrap()).collect();
        let (x, y) = (values[0] as usize, values[1] as usize);
        if !(12..180).contains(&x) || !(12..132).contains(&y) {
            continue;
        }
        let [dx, dy] = field.at(x, y);
        sum += (dx - values[2]).hypot(dy - values[3]);
        count += 1;
    }
    assert_eq!(count, 21 * 15);
    let apart = sum / count as f32;
    assert!(apart < 0.15, "{apart:.3} pixels apart");
}

#[test]
fn a_motion_larger_than_a_patch_is_found() {
    let (picture, _) = fixture();
    let from = window(&picture, 24, 20, 140, 100);
    let to = window(&picture, 10, 9, 140, 100);
    let field = flow(Preset::Fine, &from, &to);
    let error = endpoint_error(&field, 20, |_, _| [14.0, 11.0]);
    assert!(error < 0.3, "{error:.3} pixels");
}

#[test]
fn a_thing_that_moves_before_a_still_ground() {
    let (ground, thing) = fixture();
    let scene = |left: usize| {
        Plane::from_fn(192, 144, |x, y| {
            let inside = (left..left + 60).contains(&x) && (50..100).contains(&y);
            if inside { 255.0 - thing.row(y)[x - left + 20] } else { ground.row(y)[x] }
        })
    };
    let field = flow(Preset::Medium, &scene(60), &scene(64));
    let still = field.at(20, 20);
    let moving = field.at(90, 75);
    assert!(still[0].hypot(still[1]) < 0.2, "{still:?}");
    assert!((moving[0] - 4.0).hypot(moving[1]) < 0.4, "{moving:?}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (from, to) = fixture();
    let run = |count| Dis::new(Preset::Medium).flow(&Threads::new(count).unwrap(), &from, &to);
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn odd_sizes_flat_pictures_and_pictures_too_small() {
    let (from, to) = fixture();
    for (width, height) in [(1, 1), (7, 90), (8, 8), (9, 61), (131, 97)] {
        for preset in [Preset::Fast, Preset::Medium, Preset::Fine] {
            let field = flow(
                preset,
                &window(&from, 3, 5, width, height),
                &window(&to, 3, 5, width, height),
            );
            assert_eq!((field.width, field.height), (width, height));
            assert!(field.dx.iter().chain(&field.dy).all(|value| value.is_finite()));
        }
    }
    let flat = Plane::from_fn(40, 30, |_, _| 128.0);
    let field = flow(Preset::Medium, &flat, &flat);
    assert!(field.dx.iter().chain(&field.dy).all(|&value| value == 0.0));
}

#[test]
fn what_is_uncovered_does_not_agree_and_the_rest_does() {
    let threads = Threads::new(2).unwrap();
    let (ground, thing) = fixture();
    let scene = |left: usize| {
        Plane::from_fn(192, 144, |x, y| {
            let inside = (left..left + 60).contains(&x) && (40..110).contains(&y);
            if inside { 255.0 - thing.row(y)[x - left + 20] } else { ground.row(y)[x] }
        })
    };
    let (before, now) = (scene(60), scene(72));
    let dis = Dis::new(Preset::Medium);
    let back = dis.flow(&threads, &now, &before);
    let ahead = dis.flow(&threads, &before, &now);
    let believed = agreement(&threads, &back, &ahead);
    let share = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>| {
        let area = (columns.len() * rows.len()) as f32;
        rows.map(|y| believed.row(y)[columns.clone()].iter().sum::<f32>()).sum::<f32>() / area
    };
    assert!(share(8..50, 8..136) > 0.95);
    assert!(share(80..124, 50..100) > 0.9);
    assert!(share(61..71, 50..100) < 0.5, "{}", share(61..71, 50..100));
    assert!(!is_cut(&now, &before, &back, &believed));
}

#[test]
fn another_picture_is_a_cut_and_a_fast_pan_is_not() {
    let threads = Threads::new(2).unwrap();
    let (picture, _) = fixture();
    let dis = Dis::new(Preset::Medium);
    let cut = |from: &Plane, to: &Plane| {
        let (there, back) = (dis.flow(&threads, from, to), dis.flow(&threads, to, from));
        is_cut(from, to, &there, &agreement(&threads, &there, &back))
    };
    let still = window(&picture, 0, 0, 160, 120);
    assert!(!cut(&still, &still));
    assert!(!cut(&window(&picture, 20, 16, 160, 120), &still));
    let other = Plane::from_fn(160, 120, |x, y| {
        let (x, y) = (x as f32, y as f32);
        128.0 + 60.0 * (x / 5.0 + (y / 17.0).sin()).sin() + 50.0 * ((x * 0.7 - y) / 11.0).cos()
    });
    assert!(cut(&other, &still));
    assert!(cut(&still, &other));
}
