//! Regions: pixels outside keep their bytes, gradients count within, and what cannot be is refused.

use crate::common::{Watch, edited, machine, picture, toy};
use std::sync::Arc;

use dream::{
    Assets, Bound, Channels, Coherence, Detail, Follow, Guide, Keyframe, Machine, Motion,
    Normalisation, Optimiser, Parametrisation, PartialRecipe, Pick, Plan, PlanError, Recipe,
    Region, Tensor, Term, Tiles, Video, VideoDreamer, Zoom, ZoomDreamer, dream,
};
use graph::{Network, NodeId, OutputGradient, Shape, Size};

const HEIGHT: usize = 50;
const WIDTH: usize = 70;

fn mask(value: impl Fn(usize, usize) -> f32) -> Tensor {
    let data = (0..HEIGHT * WIDTH).map(|at| value(at % WIDTH, at / WIDTH)).collect();
    Tensor { shape: Shape::new(1, HEIGHT, WIDTH), data }
}

/// Brighter from the left to the right, black in the left third.
fn rising() -> Tensor {
    mask(|x, _| ((x as f32 - 22.0) / 30.0).clamp(0.0, 1.0))
}

fn left(of: usize) -> Tensor {
    mask(|x, _| f32::from(u8::from(x < of)))
}

/// A recipe with a region of each name, and its masks.
fn with(recipe: Recipe, masks: &[(&str, Tensor)]) -> (Recipe, Assets) {
    let mut recipe = recipe;
    let mut assets = Assets::default();
    for (name, mask) in masks {
        let region = Region { feather: 0.0, ..Region::default() };
        recipe.regions.insert((*name).to_owned(), region);
        assets.masks.insert((*name).to_owned(), mask.clone());
    }
    (recipe, assets)
}

fn recipe() -> Recipe {
    edited(Recipe::default(), |recipe| {
        recipe.octaves.count = 3;
        recipe.ascent.iterations = 3;
        recipe.ascent.smoothing = 0.5;
    })
}

fn planned((recipe, assets): &(Recipe, Assets), threads: usize) -> Result<Plan, PlanError> {
    let size = Size::new(HEIGHT, WIDTH);
    Plan::with_assets(recipe, assets, &toy(), size, &machine(threads))
}

fn dreamt(asked: &(Recipe, Assets), threads: usize) -> Tensor {
    let plan = planned(asked, threads).unwrap();
    dream(&plan, picture(HEIGHT, WIDTH), &mut Watch::default()).unwrap()
}

/// Recipes of every kind that masks meet.
fn kinds() -> Vec<Recipe> {
    vec![
        recipe(),
        edited(recipe(), |it| it.ascent.normalisation = Normalisation::Std),
        edited(recipe(), |it| it.ascent.normalisation = Normalisation::Laplacian { levels: 3 }),
        edited(recipe(), |it| it.tiles = Tiles::Rolled { size: 32 }),
        edited(recipe(), |it| it.tiles = Tiles::Scattered { size: 32 }),
        edited(recipe(), |it| it.octaves.detail = Detail::Replace),
        edited(recipe(), |it| it.octaves.detail = Detail::Blend { share: 0.3 }),
        edited(recipe(), |it| it.ascent.bound = Bound::None),
        edited(recipe(), |it| it.ascent.optimiser = Optimiser::Adam { betas: [0.9, 0.999] }),
        edited(recipe(), |it| {
            it.ascent.optimiser = Optimiser::Adam { betas: [0.9, 0.999] };
            it.ascent.parametrisation = Parametrisation::Spectrum;
            (it.ascent.bound, it.ascent.step) = (Bound::Sigmoid, 0.1);
        }),
    ]
}

#[test]
fn a_mask_of_ones_is_none_to_the_byte() {
    for recipe in kinds() {
        let ones = with(recipe.clone(), &[("mask", mask(|_, _| 1.0))]);
        assert_eq!(dreamt(&ones, 2), dreamt(&(recipe.clone(), Assets::default()), 2), "{recipe:?}");
    }
}

#[test]
fn pixels_outside_keep_their_bytes_and_those_inside_dream() {
    let before = picture(HEIGHT, WIDTH);
    for recipe in kinds() {
        let after = dreamt(&with(recipe.clone(), &[("mask", rising())]), 2);
        let (mut outside, mut inside, mask) = (0, 0, rising());
        for c in 0..3 {
            let pixels = before.channel(c).iter().zip(after.channel(c)).zip(&mask.data);
            for ((x, y), mask) in pixels.clone() {
                match mask {
                    0.0 => assert_eq!(x.to_bits(), y.to_bits(), "{recipe:?}"),
                    1.0 => inside += usize::from((x - y).abs() > 1.0),
                    _ => {}
                }
                outside += usize::from(*mask == 0.0);
            }
        }
        assert!(outside > 3 * HEIGHT * 20 && inside > HEIGHT * 18, "{inside}: {recipe:?}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let two = edited(recipe(), |it| {
        it.objective = vec![Term::layer("relu2").within("a"), Term::layer("relu1").within("b")];
    });
    for recipe in kinds().into_iter().map(|it| Recipe { objective: two.objective.clone(), ..it }) {
        let asked = with(recipe, &[("a", rising()), ("b", left(40))]);
        assert_eq!(dreamt(&asked, 1), dreamt(&asked, 3));
    }
}

/// Regions share the network's forward pass where its activations can be kept, and what keeps them is no
/// other dream: not with channels that are dead, which change what a backward pass reads, nor with guides.
#[test]
fn with_little_memory_regions_dream_the_same() {
    let layers = ["relu2", "relu1"].map(Term::layer);
    let dead = |layer: &str| Term::layer(layer).with_channels(Channels::Listed(vec![0, 3]));
    let guided = Term { guides: vec!["guide".into()], pick: Pick::Place, ..Term::layer("relu2") };
    let cosine = Term { cosine: 2.0, ..dead("relu1") };
    for [a, b] in [layers, [dead("relu2"), dead("relu1")], [guided, cosine]] {
        let two = |it: Recipe| Recipe {
            objective: vec![a.clone().within("a"), b.clone().within("b")],
            guides: [("guide".into(), Guide::default())].into(),
            ..it
        };
        for recipe in kinds().into_iter().take(3).map(two) {
            let (recipe, mut assets) = with(recipe, &[("a", rising()), ("b", left(40))]);
            assets.guides = [("guide".into(), picture(40, 60))].into();
            let on = |machine: &Machine| {
                let size = Size::new(HEIGHT, WIDTH);
                let plan = Plan::with_assets(&recipe, &assets, &toy(), size, machine).unwrap();
                let shown = picture(HEIGHT, WIDTH);
                (plan.memory(), dream(&plan, shown, &mut Watch::default()).unwrap())
            };
            let (needed, dreamt) = on(&machine(2));
            let (less, same) = on(&Machine { memory: needed - 1, ..machine(2) });
            assert!(less < needed && same == dreamt, "{less}, {needed}: {recipe:?}");
        }
    }
}

/// The gradient of half the sum of a layer's squares.
fn gradient(network: &Network, layer: &str, at: &Tensor) -> Tensor {
    let target: NodeId = network.graph.find_target(layer).unwrap();
    let executable = machine(1).backend.compile(network, &[target]).unwrap();
    let mut session = executable.session(at.shape.size()).unwrap();
    let mut gradient = Tensor::zeros(at.shape);
    session.forward(at).unwrap();
    session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient).unwrap();
    gradient
}

/// `map · g / n`, n being the mean magnitude of g within the map.
fn part(gradient: &Tensor, map: &Tensor) -> Vec<f64> {
    let weight = |at: usize| f64::from(map.data[at % map.data.len()]);
    let weighted = |at: usize| weight(at) * f64::from(gradient.data[at].abs());
    let n: f64 = (0..gradient.data.len()).map(weighted).sum::<f64>()
        / (3.0 * map.data.iter().map(|x| f64::from(*x)).sum::<f64>());
    (0..gradient.data.len()).map(|at| weight(at) * f64::from(gradient.data[at]) / n).collect()
}

#[test]
fn each_region_climbs_its_own_gradient_with_its_own_strength() {
    let (a, b) = (rising(), left(45));
    let plain = edited(Recipe::default(), |it| {
        it.octaves.count = 1;
        (it.ascent.iterations, it.ascent.step, it.ascent.jitter) = (1, 2.0, 0);
        it.ascent.bound = Bound::None;
        it.objective = vec![Term::layer("relu2").within("a"), Term::layer("relu1").within("b")];
    });
    let after = dreamt(&with(plain, &[("a", a.clone()), ("b", b.clone())]), 2);
    let before = picture(HEIGHT, WIDTH);
    let [of_a, of_b] = [("relu2", &a), ("relu1", &b)]
        .map(|(layer, map)| part(&gradient(&toy(), layer, &before), map));
    for at in 0..before.data.len() {
        let expected = f64::from(before.data[at]) + 2.0 * (of_a[at] + of_b[at]);
        let found = f64::from(after.data[at]);
        assert!((found - expected).abs() < 1e-3, "{at}: {found} for {expected}");
    }
}

/// As strong in a part of the picture as in all of it: what lies outside counts for nothing.
#[test]
fn a_small_region_dreams_no_harder_than_a_large_one() {
    let change = |mask: &Tensor| {
        let after = dreamt(&with(recipe(), &[("mask", mask.clone())]), 2);
        let before = picture(HEIGHT, WIDTH);
        let inside = |at: usize| mask.data[at % mask.data.len()] == 1.0;
        let all: Vec<usize> = (0..after.data.len()).filter(|at| inside(*at)).collect();
        let apart = all.iter().map(|at| f64::from((after.data[*at] - before.data[*at]).abs()));
        apart.sum::<f64>() / all.len() as f64
    };
    let (small, large) = (change(&left(25)), change(&left(WIDTH)));
    assert!((small / large - 1.0).abs() < 0.35, "{small} and {large}");
}

/// The picture, moved to the left, its border repeated.
fn moved(by: usize) -> Tensor {
    let mut moved = picture(HEIGHT, WIDTH);
    for row in moved.data.chunks_exact_mut(WIDTH) {
        row.copy_within(by.., 0);
    }
    moved
}

#[test]
fn in_a_video_pixels_outside_are_those_of_each_frame() {
    let (recipe, assets) = with(
        edited(recipe(), |it| {
            it.video = Some(Video::default());
            it.finish.saturation = 1.5;
        }),
        &[("mask", rising())],
    );
    let size = Size::new(HEIGHT, WIDTH);
    let dreamer = VideoDreamer::with_assets(&recipe, &assets, &toy(), &machine(2), size);
    let mut dreamer = dreamer.unwrap();
    for by in [0, 4, 8] {
        let dream = dreamer.frame(moved(by), &mut Watch::default()).unwrap();
        assert_eq!(dreamer.state().unwrap().age, by as u64 / 4, "the flow was not followed");
        let (frame, mut inside) = (moved(by), 0);
        for (at, (x, y)) in dream.data.iter().zip(&frame.data).enumerate() {
            match rising().data[at % (HEIGHT * WIDTH)] {
                0.0 => assert_eq!(x.to_bits(), y.to_bits(), "{by}"),
                _ => inside += usize::from((x - y).abs() > 1.0),
            }
        }
        assert!(inside > HEIGHT * 18, "{inside}");
    }
}

/// The mask of each frame counts in it, also one in which nothing does.
#[test]
fn a_video_has_a_mask_for_each_frame() {
    for coherence in [Coherence::flow(), Coherence::Independent] {
        let video = Some(Video { coherence });
        let ones = [("mask", mask(|_, _| 1.0))];
        let (recipe, assets) = with(edited(recipe(), |it| it.video = video), &ones);
        let size = Size::new(HEIGHT, WIDTH);
        let mut dreamer =
            VideoDreamer::with_assets(&recipe, &assets, &toy(), &machine(2), size).unwrap();
        for (by, columns) in [(0, 30), (4, 0), (8, 45)] {
            dreamer.set_masks(&[("mask".to_owned(), left(columns))].into()).unwrap();
            let dream = dreamer.frame(moved(by), &mut Watch::default()).unwrap();
            let changed = |at: usize| dream.data[at].to_bits() != moved(by).data[at].to_bits();
            let outside = |at: &usize| at % WIDTH >= columns;
            let all = 0..dream.data.len();
            assert!(!all.clone().filter(outside).any(changed), "{coherence:?}: {by}");
            let inside = all.filter(|at| !outside(at) && changed(*at)).count();
            assert!(inside >= 2 * HEIGHT * columns, "{coherence:?}: {by}: {inside}");
        }
        let other =
            dreamer.set_masks(&[("mask".to_owned(), Tensor::zeros(Shape::new(1, 9, 9)))].into());
        assert!(other.unwrap_err().to_string().contains("is 9×9, but the dream is 70×50"));
        assert!(dreamer.set_masks(&[("sky".to_owned(), left(9))].into()).is_err());
    }
}

#[test]
fn in_a_zoom_a_mask_stays_where_it_is() {
    let (recipe, assets) = with(
        edited(recipe(), |it| {
            let motion = Motion { zoom: 1.0, ..Motion::default() };
            it.zoom = Some(Zoom { motion, levels: 0.0, ..Zoom::default() });
        }),
        &[("mask", rising())],
    );
    let start = picture(HEIGHT, WIDTH);
    let network = Arc::new(toy());
    let mut dreamer =
        ZoomDreamer::with_assets(&recipe, assets, network, &machine(2), &start).unwrap();
    let mut frame = start.clone();
    for number in 1..=3 {
        frame = dreamer.frame(number, &frame, &mut Watch::default()).unwrap();
    }
    let (mut outside, mut inside) = (0.0f32, 0.0f32);
    for (at, (x, y)) in frame.data.iter().zip(&start.data).enumerate() {
        let most = match rising().data[at % (HEIGHT * WIDTH)] {
            0.0 => &mut outside,
            _ => &mut inside,
        };
        *most = most.max((x - y).abs());
    }
    assert!(outside < 1e-3 && inside > 1.0, "{outside} and {inside}");
}

/// Everything moves to the right by ten pixels a frame.
#[test]
fn in_a_zoom_a_mask_may_stay_with_the_picture() {
    for (follow, limit) in [(Follow::Screen, 22), (Follow::Picture, 42)] {
        let (mut recipe, assets) = with(recipe(), &[("mask", rising())]);
        let shift = [100.0 / WIDTH as f64, 0.0];
        let motion = Motion { zoom: 1.0, shift, ..Motion::default() };
        recipe.zoom = Some(Zoom { fps: 10.0, motion, levels: 0.0, ..Zoom::default() });
        recipe.regions.get_mut("mask").unwrap().follow = follow;
        let start = picture(HEIGHT, WIDTH);
        let new = || {
            let (assets, network) = (assets.clone(), Arc::new(toy()));
            ZoomDreamer::with_assets(&recipe, assets, network, &machine(2), &start).unwrap()
        };
        let mut dreamer = new();
        let first = dreamer.frame(1, &start, &mut Watch::default()).unwrap();
        let second = dreamer.frame(2, &first, &mut Watch::default()).unwrap();
        let change = |columns: std::ops::Range<usize>| {
            let rows = second.data.chunks_exact(WIDTH).zip(first.data.chunks_exact(WIDTH));
            let apart = rows.flat_map(|(now, before)| {
                columns.clone().map(move |x| (now[x] - before[x - 10]).abs())
            });
            apart.fold(0.0, f32::max)
        };
        let (outside, inside) = (change(10..limit), change(limit + 3..WIDTH));
        assert!(outside < 1e-3 && inside > 1.0, "{follow:?}: {outside} and {inside}");
        // A run that goes on makes the same frame.
        assert_eq!(new().frame(2, &first, &mut Watch::default()).unwrap(), second);
    }
}

/// A second region, of a keyframe alone, while another one moves along.
#[test]
fn in_a_zoom_a_keyframes_region_counts_where_its_mask_is() {
    let (mut recipe, assets) = with(
        Recipe { objective: vec![Term::layer("relu2").within("a")], ..recipe() },
        &[("a", left(20)), ("b", left(30))],
    );
    recipe.regions.get_mut("a").unwrap().follow = Follow::Picture;
    let objective = vec![Term::layer("relu2").within("b")];
    let set = PartialRecipe { objective: Some(objective), ..PartialRecipe::default() };
    let keyframes = vec![Keyframe { at: 0.1, set }];
    let motion = Motion { zoom: 1.0, ..Motion::default() };
    recipe.zoom = Some(Zoom { fps: 10.0, motion, levels: 0.0, keyframes, ..Zoom::default() });
    let (start, network) = (picture(HEIGHT, WIDTH), Arc::new(toy()));
    let mut dreamer =
        ZoomDreamer::with_assets(&recipe, assets, network, &machine(2), &start).unwrap();
    let frame = dreamer.frame(2, &start, &mut Watch::default()).unwrap();
    let (mut outside, mut inside) = (0.0f32, 0.0f32);
    for (at, (x, y)) in frame.data.iter().zip(&start.data).enumerate() {
        let most = if at % WIDTH < 30 { &mut inside } else { &mut outside };
        *most = most.max((x - y).abs());
    }
    assert!(outside < 1e-3 && inside > 1.0, "{outside} and {inside}");
}

#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    let refused = |asked: &(Recipe, Assets)| planned(asked, 1).err().unwrap().to_string();
    let sky = || edited(recipe(), |it| it.objective = vec![Term::layer("relu2").within("sky")]);
    let said = refused(&with(sky(), &[("left", left(9)), ("right", left(9))]));
    assert!(said.contains("no region `sky` (there are: left, right)"), "{said}");
    let (recipe, _) = with(sky(), &[("sky", left(9))]);
    let said = refused(&(recipe, Assets::default()));
    assert!(said.contains("`sky` has no mask"), "{said}");
    let said = refused(&with(sky(), &[("sky", Tensor::zeros(Shape::new(1, HEIGHT, WIDTH)))]));
    assert!(said.contains("`sky` is empty") && said.contains("white"), "{said}");
    let (mut blue, assets) = with(sky(), &[("sky", Tensor::zeros(Shape::new(1, HEIGHT, WIDTH)))]);
    let region = blue.regions.get_mut("sky").unwrap();
    (region.mask, region.color) = ("areas.png".into(), Some("#0000ff".into()));
    let said = refused(&(blue, assets));
    assert!(said.contains("no pixel of areas.png is #0000ff"), "{said}");
    let said = refused(&with(sky(), &[("sky", Tensor::zeros(Shape::new(1, WIDTH, HEIGHT)))]));
    assert!(said.contains("is 50×70, but the dream is 70×50"), "{said}");
}

#[test]
fn recipes_keep_their_regions() {
    let (recipe, _) = with(
        edited(recipe(), |it| it.objective = vec![Term::layer("relu2").within("sky")]),
        &[("sky", left(9)), ("mask", left(9))],
    );
    assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe.clone()));
    let mut other = recipe.clone();
    other.set("regions.sky.feather", "0.1").unwrap();
    other.set("regions.sky.color", "#00ff00").unwrap();
    assert_eq!(other.regions["sky"].color.as_deref(), Some("#00ff00"));
    assert_eq!(recipe.differences(&other).len(), 2);
    for (path, value) in [
        ("regions.sky.feather", "0.6"),
        ("regions.sky.color", "blue"),
        ("regions.sky.fether", "0.1"),
        ("regions.a b.feather", "0.1"),
    ] {
        assert!(other.set(path, value).is_err(), "{path}");
    }
    // Where the hash is known, a file's name says nothing.
    let named = |name: &str| {
        edited(recipe.clone(), |it| {
            let sky = it.regions.get_mut("sky").unwrap();
            (sky.mask, sky.sha256) = (name.into(), "ab".into());
        })
    };
    assert_eq!(named("a.png").differences(&named("b/a.png")), [""; 0]);
}
