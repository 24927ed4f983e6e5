//! Pictures that are dreamt together: each by itself without diversity, apart with it, refused where it cannot be.

use std::ops::ControlFlow;

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{
    Assets, Bound, Channels, DreamError, NoiseStart, Optimiser, Parametrisation, Plan, PlanError,
    Progress, Recipe, RecipeError, Region, Tensor, Term, Tiles, Wobble, dream, dream_together,
};
use graph::{ChannelOrder, Conv2d, GraphBuilder, InputSpec, Network, Op, Shape, Size, Window};

const SIZE: Size = Size { height: 24, width: 30 };

fn recipe(pictures: u32, diversity: f32) -> Recipe {
    edited(Recipe::default(), |it| {
        it.noise = Some(NoiseStart { width: 30, height: 24 });
        (it.pictures, it.diversity, it.seed) = (pictures, Some(diversity), 5);
        (it.octaves.count, it.ascent.iterations, it.ascent.jitter) = (2, 4, 3);
        it.objective = vec![Term::layer("relu2").with_channels(Channels::Listed(vec![1, 3]))];
    })
}

/// What recipes may say of how pictures are dreamt that must hold for several as for one.
fn ways() -> Vec<Recipe> {
    let by_adam = edited(recipe(3, 0.5), |it| {
        let ascent = &mut it.ascent;
        (ascent.optimiser, ascent.parametrisation) = (Optimiser::adam(), Parametrisation::Spectrum);
        (ascent.bound, ascent.step, ascent.chroma) = (Bound::Sigmoid, 0.05, 0.5);
    });
    let steered = edited(recipe(3, 0.5), |it| {
        it.objective.push(Term::layer("relu1"));
        it.penalty.tv = 0.2;
        it.finish.contrast = 1.2;
        it.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
    });
    vec![recipe(3, 0.5), by_adam, steered]
}

fn plan(recipe: &Recipe, threads: usize) -> Result<Plan, PlanError> {
    Plan::new(recipe, &toy(), SIZE, &machine(threads))
}

fn together(recipe: &Recipe, threads: usize) -> Vec<Tensor> {
    dream_together(&plan(recipe, threads).unwrap(), &mut Watch::default()).unwrap()
}

#[test]
fn without_diversity_each_is_the_dream_of_its_own_seed() {
    for way in ways() {
        let several = together(&Recipe { diversity: Some(0.0), ..way.clone() }, 2);
        assert_eq!(several.len(), 3);
        for (dreamt, seed) in several.into_iter().zip(5..) {
            let alone = Recipe { pictures: 1, diversity: None, seed, ..way.clone() };
            let plan = plan(&alone, 2).unwrap();
            let alone = dream(&plan, plan.noise(SIZE), &mut Watch::default()).unwrap();
            assert!(dreamt == alone, "seed {seed} of {way:?}");
        }
    }
}

#[test]
fn the_bytes_are_the_same_on_any_number_of_threads() {
    for way in ways() {
        let [one, two] = [1, 2].map(|threads| together(&way, threads));
        assert!(one == two, "{way:?}");
        assert!(one != together(&Recipe { diversity: Some(0.0), ..way }, 2));
    }
}

/// How alike pictures are in which channels of a layer go together, 0–1: what diversity works against.
fn likeness(recipe: &Recipe, pictures: &[Tensor]) -> f64 {
    let network = toy();
    let machine = machine(1);
    let node = network.graph.find(&recipe.objective[0].layer).unwrap();
    let executable = machine.backend.compile(&network, &[node]).unwrap();
    let mut session = executable.session(SIZE).unwrap();
    let matrices = pictures.iter().map(|picture| {
        session.forward(picture).unwrap();
        let mut values = Tensor::zeros(session.target_shape(0));
        session.read_activation(0, &mut values).unwrap();
        let channels = values.shape.channels;
        let product = |at: usize| -> f64 {
            let rows = [at / channels, at % channels].map(|channel| values.channel(channel));
            rows[0].iter().zip(rows[1]).map(|(a, b)| f64::from(a * b)).sum()
        };
        let matrix: Vec<f64> = (0..channels * channels).map(product).collect();
        let norm = matrix.iter().map(|x| x * x).sum::<f64>().sqrt();
        matrix.into_iter().map(|x| x / norm).collect::<Vec<f64>>()
    });
    let matrices: Vec<_> = matrices.collect();
    let pairs = [(0, 1), (0, 2), (1, 2)].map(|(i, j): (usize, usize)| {
        matrices[i].iter().zip(&matrices[j]).map(|(a, b)| a * b).sum::<f64>()
    });
    pairs.iter().sum::<f64>() / 3.0
}

#[test]
fn the_more_diversity_the_less_alike() {
    let recipe = |share| edited(recipe(3, share), |it| it.ascent.iterations = 12);
    let likenesses = [0.0, 0.5, 2.0].map(|share| {
        let recipe = recipe(share);
        likeness(&recipe, &together(&recipe, 2))
    });
    assert!(likenesses.is_sorted_by(|a, b| a > b), "{likenesses:?}");
}

#[test]
fn what_no_region_reaches_stays_as_it_was() {
    let mut recipe = recipe(2, 1.0);
    recipe.objective[0].region = Some("left".into());
    let region = Region { feather: 0.0, ..Region::default() };
    recipe.regions.insert("left".into(), region);
    let mut mask = Tensor::zeros(Shape::new(1, SIZE.height, SIZE.width));
    mask.data.chunks_mut(SIZE.width).for_each(|row| row[..15].fill(1.0));
    let assets = Assets { masks: [("left".to_owned(), mask)].into(), ..Assets::default() };
    let plan = Plan::with_assets(&recipe, &assets, &toy(), SIZE, &machine(2)).unwrap();
    let dreams = dream_together(&plan, &mut Watch::default()).unwrap();
    for (dreamt, seed) in dreams.iter().zip(5..) {
        let before = dream::noise(SIZE, seed);
        for (at, (now, before)) in dreamt.data.iter().zip(&before.data).enumerate() {
            assert!(at % SIZE.width < 15 || now == before, "{at}");
        }
        assert!(*dreamt != before);
    }
}

#[test]
fn progress_is_that_of_all_pictures() {
    let (mut numbers, mut last) = (Vec::new(), (0, 0));
    let mut observer = |progress: &Progress<'_>| {
        numbers.push(progress.number);
        last = (progress.done, progress.total);
        ControlFlow::Continue(())
    };
    dream_together(&plan(&recipe(3, 0.5), 1).unwrap(), &mut observer).unwrap();
    assert_eq!(numbers.len(), 2 * 4 * 3);
    assert_eq!(numbers[..6], [0, 1, 2, 0, 1, 2]);
    assert_eq!(last.0, last.1);
    let mut watch = Watch { stop_after: Some(4), ..Watch::default() };
    let stopped = dream_together(&plan(&recipe(3, 0.5), 1).unwrap(), &mut watch);
    assert_eq!((stopped, watch.done.len()), (Err(DreamError::Stopped), 4));
}

#[test]
fn several_are_dreamt_from_noise_and_whole_or_refused() {
    let refused = |edit: &dyn Fn(&mut Recipe), words: &str| {
        let error = plan(&edited(recipe(3, 0.5), edit), 1).err().unwrap().to_string();
        let begins =
            "`pictures` of 2 or more are stills that are dreamt from noise, each of them whole: ";
        assert_eq!(error, format!("{begins}{words}"));
    };
    let alone = edited(recipe(3, 0.5), |it| it.pictures = 1);
    assert_eq!(plan(&alone, 1).err(), Some(RecipeError::DiversityOfOne.into()));
    refused(&|it| it.noise = None, "start from noise, or set `pictures` to 1 and `diversity` to 0");
    let tiles = Tiles::Rolled { size: 64 };
    refused(&|it| it.tiles = tiles, "set `tiles` to \"whole\", or `pictures` to 1");
    plan(&edited(recipe(1, 0.0), |it| it.noise = None), 1).unwrap();

    let several = plan(&recipe(3, 0.5), 1).unwrap();
    let error = dream(&several, picture(24, 30), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("3 pictures dreamt together"), "{error}");
    let photo = plan(&edited(recipe(1, 0.0), |it| it.noise = None), 1).unwrap();
    assert!(dream_together(&photo, &mut Watch::default()).is_err());

    for (path, value) in [("pictures", "0"), ("pictures", "65"), ("diversity", "-1")] {
        let error = Recipe::default().set(path, value).unwrap_err();
        assert!(matches!(error, RecipeError::Range { .. }), "{error}");
    }
    let last = edited(recipe(2, 0.5), |it| it.seed = i64::MAX as u64);
    assert!(plan(&last, 1).is_err());
}

/// A network of two channels: how red a picture is, and what overflows where it is redder than `most`.
fn overflowing(most: f32) -> Network {
    let window = Window::new([1, 1], [1, 1]);
    let conv = |inputs: usize, weights: Vec<f32>, bias: Vec<f32>| {
        let (out_channels, in_channels, groups) = (2, inputs, 1);
        let (weights, bias) = (weights.into(), bias.into());
        Op::Conv2d(Conv2d { window, out_channels, in_channels, groups, weights, bias })
    };
    let mut builder = GraphBuilder::new("data", 3);
    let input = builder.input();
    let red = vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let seen = builder.add("seen", conv(3, red, vec![0.0, -most]), &[input]);
    let open = builder.add("open", Op::Relu, &[seen]);
    let strong = builder.add("strong", conv(2, vec![1.0, 0.0, 0.0, 1e38], vec![0.0; 2]), &[open]);
    builder.add("end", Op::Relu, &[strong]);
    let (order, mean, scale) = (ChannelOrder::Rgb, [0.0; 3], [1.0; 3]);
    Network { graph: builder.finish(), input: InputSpec { order, mean, scale }, ..toy() }
}

#[test]
fn the_picture_that_is_no_number_is_the_one_that_is_looked_into() {
    let reddest = |seed| {
        let noise = dream::noise(SIZE, seed);
        noise.channel(0).iter().copied().fold(0.0, f32::max)
    };
    // One that comes after another which is fainter by more than what overflows.
    let seed = (0..).find(|seed| reddest(seed + 1) > reddest(*seed) + 10.0).unwrap();
    let recipe = edited(Recipe::default(), |it| {
        it.noise = Some(NoiseStart { width: 30, height: 24 });
        (it.pictures, it.seed, it.octaves.count) = (2, seed, 1);
        it.objective = vec![Term::layer("end")];
    });
    let network = overflowing(reddest(seed) + 1.0);
    let plan = Plan::new(&recipe, &network, SIZE, &machine(2)).unwrap();
    let error = dream_together(&plan, &mut Watch::default()).unwrap_err();
    assert_eq!(error, DreamError::NotFinite { layer: "strong".into() });
}

#[test]
fn several_keep_apart_by_half_unless_they_say_otherwise() {
    let resolved = |edit: &dyn Fn(&mut Recipe)| {
        let recipe = edited(recipe(3, 0.5), edit);
        plan(&recipe, 1).unwrap().recipe().diversity
    };
    assert_eq!(resolved(&|it| it.diversity = None), Some(0.5));
    assert_eq!(resolved(&|it| it.diversity = Some(0.0)), Some(0.0));
    assert_eq!(resolved(&|it| (it.pictures, it.diversity) = (1, None)), None);
    // A recipe of one picture is the text it was.
    assert!(!Recipe::default().to_toml().contains("pictures"));
}

#[test]
fn several_are_said_to_take_more_memory_than_one() {
    let memory = |pictures| plan(&recipe(pictures, 0.5), 1).unwrap().memory();
    let alone = plan(&Recipe { pictures: 1, diversity: None, ..recipe(1, 0.0) }, 1).unwrap();
    assert!(alone.memory() < memory(2) && memory(2) < memory(3));
}
