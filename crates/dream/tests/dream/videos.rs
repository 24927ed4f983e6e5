//! Videos: dreams that stay with what they were dreamt on, begin again at cuts, go on after a stop,
//! and do not change the film's light.

use crate::common::{Watch, edited, machine, numbers, toy};
use dream::{Coherence, DreamError, Preset, Recipe, TemporalState, Tensor, Video, VideoDreamer};
use graph::{Shape, Size};

const HEIGHT: usize = 48;
const WIDTH: usize = 64;

fn recipe(coherence: Coherence) -> Recipe {
    edited(Recipe::with_preset(&toy(), Preset::Classic), |recipe| {
        recipe.octaves.count = 2;
        recipe.ascent.iterations = 8;
        recipe.ascent.step = 2.0;
        recipe.ascent.jitter = 4;
        recipe.video = Some(Video { coherence });
    })
}

fn dreamer(recipe: &Recipe, threads: usize) -> VideoDreamer {
    VideoDreamer::new(recipe, &toy(), &machine(threads), Size::new(HEIGHT, WIDTH)).unwrap()
}

/// A view, at `left`, of a wide landscape of soft random blobs.
fn view(seed: u32, left: usize) -> Tensor {
    let (columns, rows) = (40, 10);
    let mut number = numbers(seed);
    let mut blobs = Tensor::zeros(Shape::new(3, rows, columns));
    blobs.data.iter_mut().for_each(|value| *value = 60.0 + 140.0 * number());
    let wide = dream::resize(&blobs, Size::new(HEIGHT, 8 * WIDTH), dream::Filter::CatmullRom);
    let mut view = Tensor::zeros(Shape::new(3, HEIGHT, WIDTH));
    for (row, out) in view.data.chunks_mut(WIDTH).enumerate() {
        out.copy_from_slice(&wide.data[row * 8 * WIDTH + left..][..WIDTH]);
    }
    view
}

fn frames(dreamer: &mut VideoDreamer, sources: &[Tensor]) -> Vec<Tensor> {
    sources.iter().map(|source| frame(dreamer, source)).collect()
}

fn frame(dreamer: &mut VideoDreamer, source: &Tensor) -> Tensor {
    dreamer.frame(source.clone(), &mut Watch::default()).unwrap()
}

/// Root mean square of the difference, away from the borders.
fn apart(a: &Tensor, b: &Tensor) -> f64 {
    let inner = |index: &usize| {
        let (x, y) = (index % WIDTH, index / WIDTH % HEIGHT);
        (12..WIDTH - 12).contains(&x) && (8..HEIGHT - 8).contains(&y)
    };
    let squares: Vec<f64> = (0..a.data.len())
        .filter(inner)
        .map(|index| f64::from(a.data[index] - b.data[index]).powi(2))
        .collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

fn minus(a: &Tensor, b: &Tensor) -> Tensor {
    let data = a.data.iter().zip(&b.data).map(|(a, b)| a - b).collect();
    Tensor { shape: a.shape, data }
}

#[test]
fn a_dream_goes_with_what_moves() {
    let shift = 3;
    let sources: Vec<Tensor> = (0..6).map(|number| view(1, 40 + shift * number)).collect();
    let followed = |coherence| {
        let dreams = frames(&mut dreamer(&recipe(coherence), 2), &sources);
        let added: Vec<Tensor> = dreams.iter().zip(&sources).map(|(a, b)| minus(a, b)).collect();
        // What the last frame adds at x was added by the one before it at x + shift.
        let mut moved = added[4].clone();
        for row in moved.data.chunks_mut(WIDTH) {
            row.copy_within(shift.., 0);
        }
        apart(&added[5], &moved) / apart(&added[5], &minus(&added[5], &added[5]))
    };
    let (flow, independent) = (followed(Coherence::flow()), followed(Coherence::Independent));
    assert!(flow < 0.4, "flow: {flow}");
    assert!(independent > 2.0 * flow, "independent: {independent}, flow: {flow}");
}

#[test]
fn a_cut_begins_again() {
    for coherence in [Coherence::flow(), Coherence::blend()] {
        let mut cut = dreamer(&recipe(coherence), 2);
        let before = [view(1, 0), view(1, 2)];
        let dreams = frames(&mut cut, &[&before[..], &[view(9, 200), view(9, 201)]].concat());
        let mut fresh = dreamer(&recipe(coherence), 2);
        let alone = frames(&mut fresh, &[view(9, 200), view(9, 201)]);
        assert_eq!(dreams[2..], alone[..], "{coherence:?}");
        assert_eq!(cut.state(), fresh.state());
        assert_eq!(cut.state().map(|state| state.age), Some(1));
        assert_ne!(
            frame(&mut dreamer(&recipe(coherence), 2), &before[1]),
            dreams[1],
            "{coherence:?}"
        );
    }
}

#[test]
fn what_is_carried_is_all_there_is_to_carry() {
    let sources: Vec<Tensor> = (0..5).map(|number| view(2, 3 * number)).collect();
    for coherence in [Coherence::flow(), Coherence::blend()] {
        let recipe = recipe(coherence);
        let mut first = dreamer(&recipe, 1);
        let whole = frames(&mut first, &sources);
        let mut stopped = dreamer(&recipe, 3);
        frames(&mut stopped, &sources[..2]);
        let state: TemporalState = stopped.state().unwrap().clone();
        let mut resumed = dreamer(stopped.recipe(), 2);
        resumed.resume(Some(state));
        assert_eq!(frames(&mut resumed, &sources[2..]), whole[2..], "{coherence:?}");
        assert_eq!(resumed.state(), first.state());
        resumed.resume(None);
        assert_eq!(frame(&mut resumed, &sources[0]), whole[0]);
    }
}

#[test]
fn independent_frames_come_in_any_order() {
    let sources: Vec<Tensor> = (0..4).map(|number| view(3, 5 * number)).collect();
    let recipe = recipe(Coherence::Independent);
    let mut in_order = dreamer(&recipe, 2);
    let dreams = frames(&mut in_order, &sources);
    assert_eq!(in_order.state(), None);
    for at in [2, 0, 3] {
        assert_eq!(frame(&mut in_order, &sources[at]), dreams[at]);
    }
}

#[test]
fn a_stopped_frame_changes_nothing() {
    let mut dreamer = dreamer(&recipe(Coherence::flow()), 2);
    frame(&mut dreamer, &view(4, 0));
    let before = dreamer.state().cloned();
    let mut watch = Watch { stop_after: Some(1), ..Watch::default() };
    let stopped = dreamer.frame(view(4, 2), &mut watch);
    assert!(matches!(stopped, Err(DreamError::Stopped)));
    assert_eq!(dreamer.state().cloned(), before);
    assert_eq!(frame(&mut dreamer, &view(4, 2)), {
        let mut again = self::dreamer(&recipe(Coherence::flow()), 2);
        frames(&mut again, &[view(4, 0), view(4, 2)])[1].clone()
    });
}

#[test]
fn frames_come_in_the_size_asked_for() {
    let recipe = Recipe { size: Some(32), ..recipe(Coherence::flow()) };
    let mut dreamer = dreamer(&recipe, 1);
    assert_eq!(dreamer.size(), Size::new(24, 32));
    assert_eq!(frame(&mut dreamer, &view(5, 0)).shape, Shape::new(3, 24, 32));
    assert_eq!(dreamer.state().unwrap().source.shape, Shape::new(3, 24, 32));
    assert_eq!(dreamer.recipe().size, Some(32));
}

#[test]
fn the_recipe_is_strict_about_videos() {
    let read = |video: &str| Recipe::from_toml(&format!("schema = 1\n[video]\n{video}"));
    let recipe = read("coherence = { blend = { share = 0.25 } }").unwrap();
    let wanted = Video { coherence: Coherence::Blend { share: 0.25 } };
    assert_eq!(recipe.video, Some(wanted));
    assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
    for wrong in [
        "coherence = { flow = { persistence = 1.5 } }",
        "coherence.blend.share = -0.1",
        "coherence.flow.share = 0.5",
        "persistence = 0.5",
        "coherence = \"magic\"",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

/// Root mean square and mean of what the dream adds.
fn added(dream: &Tensor, source: &Tensor) -> (f64, f64) {
    let added = minus(dream, source);
    let mean = added.data.iter().map(|x| f64::from(*x)).sum::<f64>() / added.data.len() as f64;
    (apart(dream, source), mean)
}

#[test]
fn dreams_on_three_hundred_frames_neither_grow_nor_fade_nor_brighten() {
    let recipe = edited(recipe(Coherence::flow()), |recipe| {
        recipe.octaves.count = 1;
        recipe.ascent.iterations = 4;
        recipe.ascent.step = 4.0;
    });
    let mut dreamer = dreamer(&recipe, 2);
    // What stands still is where a dream without end would pile up.
    let source = view(6, 30);
    let dreams: Vec<Tensor> = (0..300).map(|_| frame(&mut dreamer, &source)).collect();
    let measured: Vec<(f64, f64)> = dreams.iter().map(|dream| added(dream, &source)).collect();
    let (strength, brightness) = measured[0];
    for (number, now) in measured.iter().enumerate() {
        assert!((0.6..1.6).contains(&(now.0 / strength)), "{number}: {} of {strength}", now.0);
        assert!((now.1 - brightness).abs() < 2.0, "{number}: {} of {brightness}", now.1);
    }
    for number in 100..300 {
        let (strength, brightness) = measured[99];
        assert!((measured[number].0 / strength - 1.0).abs() < 0.1, "it goes on growing or fading");
        assert!((measured[number].1 - brightness).abs() < 0.5, "it goes on brightening");
        let change = apart(&dreams[number], &dreams[number - 1]);
        assert!(change < 0.3 * strength, "frame {number} is another dream");
    }
}

#[test]
fn what_was_not_seen_before_is_dreamt_on() {
    // A stripe as wide as the fast motion comes in at the right at each frame.
    let shift = 10;
    let sources: Vec<Tensor> = (0..4).map(|number| view(7, 60 + shift * number)).collect();
    let mut dreamer = dreamer(&recipe(Coherence::flow()), 2);
    let dreams = frames(&mut dreamer, &sources);
    let stripe = |dream: &Tensor, source: &Tensor| {
        let added = minus(dream, source);
        let rows = added.data.chunks(WIDTH).map(|row| &row[WIDTH - shift..]);
        let squares: f64 = rows.flatten().map(|x| f64::from(*x).powi(2)).sum();
        (squares / (3 * HEIGHT * shift) as f64).sqrt()
    };
    let alone =
        stripe(&frame(&mut self::dreamer(&recipe(Coherence::flow()), 2), &sources[3]), &sources[3]);
    let uncovered = stripe(&dreams[3], &sources[3]);
    assert!(uncovered > 0.3 * alone, "{uncovered} of {alone}");
}

#[test]
fn flicker_is_measured_along_the_motion() {
    let threads = machine(2).context.threads().clone();
    let sources: Vec<Tensor> = (0..4).map(|number| view(8, 20 + 3 * number)).collect();
    let mut rest = dream::FlickerMeter::default();
    let read: Vec<dream::FrameMeasurement> =
        sources.iter().map(|source| rest.frame(&threads, source.clone(), source.clone())).collect();
    assert_eq!(read[0].warping_error, None);
    let still = read[3].warping_error.unwrap();
    assert_eq!((still.dream, read[3].strength, read[3].brightness), (still.source, 0.0, 0.0));
    assert!(still.source < 1.0 && still.share > 0.7, "{still:?}");
    // What moves with the source does not flicker, what stays on the screen does.
    let lit = |source: &Tensor, left: usize| {
        let mut lit = source.clone();
        for row in lit.data.chunks_mut(WIDTH) {
            row[left..].iter_mut().step_by(8).for_each(|x| *x += 30.0);
        }
        lit
    };
    let change = |shift: usize| {
        let mut flicker = dream::FlickerMeter::default();
        let mut last = None;
        for (number, source) in sources.iter().enumerate() {
            last = Some(flicker.frame(&threads, source.clone(), lit(source, 9 - shift * number)));
        }
        last.unwrap()
    };
    let (moved, stuck) = (change(3), change(0));
    assert!(moved.warping_error.unwrap().dream < 0.5 * stuck.warping_error.unwrap().dream);
    assert!((stuck.brightness - 30.0 * 7.0 / 64.0).abs() < 0.5, "{}", stuck.brightness);
    // A cut is no flicker.
    let cut = view(11, 200);
    assert_eq!(rest.frame(&threads, cut.clone(), cut).warping_error, None);
}
