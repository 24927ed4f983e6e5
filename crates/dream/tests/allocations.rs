//! Once a dream is under way in an octave, its steps allocate nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use cpu::Cpu;
use dream::{
    Ascent, Channels, ClassId, Machine, Normalisation, Observer, Optimiser, Parametrisation,
    Penalty, Plan, Preset, Progress, Recipe, Term, Tiles, Wobble, dream,
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
    let recipes = [
        recipe.clone(),
        with(4.0, 0.0, Normalisation::MeanAbs),
        with(0.0, 0.0, Normalisation::Laplacian { levels: 4 }),
        with(0.0, 0.0, Normalisation::Std),
        Recipe { tiles: Tiles::Rolled { size: 64 }, ..recipe.clone() },
        by_adam(Parametrisation::Pixels, 1.0),
        by_adam(Parametrisation::Spectrum, 0.05),
        steered,
        with_terms(&recipe),
    ];
    for recipe in recipes {
        let threads = Threads::new(2).expect("threads start");
        let level = CpuLevel::detect().expect("a level that the processor has");
        let context = Context::new(threads, level);
        let backend = Arc::new(Cpu::new(context.clone()));
        let machine = Machine { backend, context, memory: 1 << 32 };
        let plan =
            Plan::new(&recipe, &network, Size::new(100, 130), &machine).expect("it can be dreamt");
        let mut counts = Counts(Vec::with_capacity(STEPS));
        let picture = Tensor { data: vec![100.0; 3 * 100 * 130], shape: Shape::new(3, 100, 130) };
        dream(&plan, picture, &mut counts).expect("nobody stops it");
        // Until each thread has met its largest task, a step may still find memory too small.
        let quiet = counts.0.windows(IN_A_ROW).any(|steps| steps[0] == steps[IN_A_ROW - 1]);
        assert!(quiet, "{:?} by {recipe:?}", counts.0);
    }
}
