//! Once a dream is under way in an octave, its steps allocate nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use cpu::Cpu;
use dream::{
    Ascent, Assets, Channels, ClassId, Machine, NoiseStart, Normalisation, Observer, Optimiser,
    Parametrisation, Penalty, Plan, Preset, Progress, Recipe, Region, Term, Tiles, Wobble, dream,
    dream_together,
};
use graph::{Shape, Size, Tensor};
use kernels::{Context, CpuLevel, Threads};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// How many allocations there had been after each step.
#[derive(Default)]
struct Counts(Vec<u64>);

impl Observer for Counts {
    fn step(&mut self, _: &Progress<'_>) -> ControlFlow<()> {
        self.0.push(dhat::HeapStats::get().total_blocks);
        ControlFlow::Continue(())
    }
}

/// The recipe with terms of every kind.
fn with_terms(recipe: &Recipe) -> Recipe {
    let channels = Term::layer("fire5/concat").with_channels(Channels::Listed(vec![5, 17]));
    let cosine = Term { cosine: 2.0, ..Term::class(ClassId::Number(281)) };
    let place = Term { at: Some([0.5, 0.5]), ..channels.clone() };
    let objective = vec![Term::layer("fire8/concat"), channels, cosine, place];
    Recipe { objective, ..recipe.clone() }
}

/// The recipe with terms of layers that see little.
fn with_shallow_terms(recipe: &Recipe) -> Recipe {
    let channels = Term::layer("fire2/concat").with_channels(Channels::Listed(vec![5, 17]));
    let cosine = Term { cosine: 2.0, ..channels.clone() };
    Recipe { objective: vec![Term::layer("fire2/concat"), channels, cosine], ..recipe.clone() }
}

#[test]
fn steps_allocate_nothing() {
    const STEPS: usize = 80;
    const IN_A_ROW: usize = 20;
    let network = models::squeezenet().expect("the built-in network is whole");
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut recipe = Recipe::with_preset(&network, Preset::Classic);
    recipe.octaves.count = 1;
    recipe.ascent.iterations = STEPS as u32;
    let with = |smoothing, smoothing_growth, normalisation| {
        let mut recipe = recipe.clone();
        recipe.ascent =
            Ascent { smoothing, smoothing_growth, normalisation, ..recipe.ascent.clone() };
        recipe
    };
    let by_adam = |parametrisation, step| {
        let mut recipe = recipe.clone();
        let (optimiser, chroma) = (Optimiser::adam(), 0.5);
        recipe.ascent = Ascent { optimiser, parametrisation, step, chroma, ..recipe.ascent };
        recipe
    };
    let steered = {
        let mut recipe = by_adam(Parametrisation::Spectrum, 0.05);
        recipe.penalty = Penalty { tv: 0.2, pull: 0.5, blur: 0.1, ..Penalty::default() };
        recipe.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
        recipe
    };
    let regions = {
        let mut recipe = with_terms(&recipe);
        let names = ["left", "right"].map(|name| (name.to_owned(), Region::default()));
        recipe.regions = names.into();
        for (number, term) in recipe.objective.iter_mut().enumerate() {
            term.region = Some(["left", "right"][number % 2].to_owned());
        }
        recipe
    };
    let together = {
        let mut recipe = by_adam(Parametrisation::Spectrum, 0.05);
        recipe.noise = Some(NoiseStart { width: 130, height: 100 });
        (recipe.pictures, recipe.diversity) = (2, Some(0.5));
        recipe
    };
    let recipes = [
        together,
        recipe.clone(),
        with(4.0, 0.0, Normalisation::MeanAbs),
        with(0.0, 0.0, Normalisation::Laplacian { levels: 4 }),
        with(0.0, 0.0, Normalisation::Std),
        Recipe { tiles: Tiles::Rolled { size: 64 }, ..recipe.clone() },
        Recipe { tiles: Tiles::Exact { size: 96 }, ..with_shallow_terms(&recipe) },
        by_adam(Parametrisation::Pixels, 1.0),
        by_adam(Parametrisation::Spectrum, 0.05),
        steered,
        with_terms(&recipe),
        regions,
    ];
    let half = |right: usize| {
        let inside = |at: usize| f32::from(u8::from(at % 130 / 65 == right));
        let data = (0..100 * 130).map(inside).collect();
        Tensor { shape: Shape::new(1, 100, 130), data }
    };
    let masks = [("left".to_owned(), half(0)), ("right".to_owned(), half(1))].into();
    let assets = Assets { masks, ..Assets::default() };
    for recipe in recipes {
        let threads = Threads::new(2).expect("threads start");
        let level = CpuLevel::detect().expect("a level that the processor has");
        let context = Context::new(threads, level);
        let backend = Arc::new(Cpu::new(context.clone()));
        let machine = Machine { backend, context, memory: 1 << 32, scratch: Default::default() };
        let size = Size::new(100, 130);
        let plan = Plan::with_assets(&recipe, &assets, &network, size, &machine);
        let plan = plan.expect("it can be dreamt");
        let mut counts = Counts(Vec::with_capacity(STEPS));
        let picture =
            Tensor { data: vec![100.0; 3 * 100 * 130].into(), shape: Shape::new(3, 100, 130) };
        let done = match recipe.pictures {
            1 => dream(&plan, picture, &mut counts).map(|_| ()),
            _ => dream_together(&plan, &mut counts).map(|_| ()),
        };
        done.expect("nobody stops it");
        // Until each thread has met its largest task, a step may still find memory too small.
        let quiet = counts.0.windows(IN_A_ROW).any(|steps| steps[0] == steps[IN_A_ROW - 1]);
        assert!(quiet, "{:?} by {recipe:?}", counts.0);
    }
}
