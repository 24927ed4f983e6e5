//! Exact tiles: whatever the tiles, the gradient is the whole picture's but for rounding.

use std::sync::Arc;

use cpu::Cpu;
use dream::{
    Assets, Bound, Channels, Checkpoint, Guide, Machine, Optimiser, Parametrisation, Plan,
    PlanError, Recipe, Region, Tensor, Term, Tiles, Wobble, Zoom, ZoomDreamer, channel_answers,
    dream, dream_from, evaluate,
};
use graph::reference::Reference;
use graph::{
    AveragePool, Conv2d, GraphBuilder, InputSpec, MaxPool, Network, Op, Padding, Shape, Size,
    Unary, Window,
};
use kernels::{Context, CpuLevel, Threads};

use crate::common::{Watch, edited, machine, picture, toy};

/// The relative L2 error of a gradient in `f32` that is added up in another order.
const ROUNDING: f64 = 1e-6;

/// The same of one convolution by Winograd's algorithm, whose tiles are others in a part of the picture.
const WINOGRAD: f64 = 1e-5;

/// The same of what six steps have changed, each of which starts from what the ones before have rounded.
const STEPS: f64 = 2e-6;

/// The same by Adam, which divides each wave's gradient by how large it usually is, so that small ones, of which more
/// is rounding, go as far as large ones.
const STEPS_OF_ADAM: f64 = 2e-5;

/// What computes each value by definition, the same in a tile as in the whole picture.
fn by_definition() -> Machine {
    Machine { backend: Arc::new(Reference::<f32>::default()), ..machine(2) }
}

/// What the machine has of instructions.
fn detected() -> Machine {
    let context = Context::new(Threads::new(2).unwrap(), CpuLevel::detect().unwrap());
    Machine { backend: Arc::new(Cpu::new(context.clone())), context, ..machine(2) }
}

fn squeezenet() -> Network {
    models::squeezenet().unwrap()
}

fn inception() -> Network {
    testkit::network(testkit::inception(&mut testkit::Random(31), 13))
}

/// A network without a maximum or a ReLU, whose gradient the last bit of a value may change much.
fn smooth() -> Network {
    let (mut random, mut builder) = (testkit::Random(32), GraphBuilder::new("data", 3));
    let same = Window::new([3, 3], [1, 1]).padded(Padding::Same);
    let first = builder.add("first", random.conv(same, 3, 20, 1), &[builder.input()]);
    let bent = builder.add("bent", Op::Unary(Unary::Sigmoid), &[first]);
    let mean = AveragePool { window: Window { stride: [2, 2], ..same }, count_padding: false };
    let mean = builder.add("mean", Op::AveragePool(mean), &[bent]);
    builder.add("second", random.conv(same, 20, 30, 1), &[mean]);
    testkit::network(builder.finish())
}

fn recipe(terms: Vec<Term>) -> Recipe {
    edited(Recipe::default(), |it| {
        it.octaves.count = 1;
        it.objective = terms;
    })
}

fn tiled(recipe: &Recipe, size: u32) -> Recipe {
    Recipe { tiles: Tiles::Exact { size }, ..recipe.clone() }
}

fn guided(layer: &str, cosine: f32) -> Term {
    Term { guides: vec!["guide".into()], cosine, ..Term::layer(layer) }
}

/// Within a frame of eight pixels, or all but that.
fn part(gradient: &Tensor, border: bool) -> Vec<f32> {
    let Shape { height, width, .. } = gradient.shape;
    let at_border = |at: usize| {
        let (y, x) = (at % (height * width) / width, at % width);
        y.min(height - 1 - y) < 8 || x.min(width - 1 - x) < 8
    };
    (0..gradient.data.len())
        .filter(|at| at_border(*at) == border)
        .map(|at| gradient.data[at])
        .collect()
}

/// Holds values and gradients in tiles no longer than these against those of the whole.
fn compare(
    (network, machine): (&Network, &Machine),
    terms: Vec<Term>,
    size: Size,
    tiles: [u32; 3],
    most: f64,
) {
    let shown = picture(size.height, size.width);
    let mut recipe = recipe(terms);
    recipe.guides = [("guide".into(), Guide::default())].into();
    let guides = [("guide".into(), picture(60, 80))].into();
    let assets = Assets { guides, ..Assets::default() };
    let plan =
        |recipe: &Recipe| Plan::with_assets(recipe, &assets, network, size, machine).unwrap();
    let whole = evaluate(&plan(&recipe), &shown).unwrap();
    for tile in tiles {
        let plan = plan(&tiled(&recipe, tile));
        let tiling = plan.tiling().expect("the picture is larger");
        assert!(tiling.tile.longest() <= tile as usize && tiling.cost > 1.0, "{tiling:?}");
        let found = evaluate(&plan, &shown).unwrap();
        let of = |border: bool| format!("{:?} {tiling:?} {border}", recipe.objective);
        let off = (found.value / whole.value - 1.0).abs();
        assert!(off < most, "{}: the value is off by {off:e}", of(false));
        for border in [false, true] {
            let [found, wanted] = [&found, &whole].map(|it| part(&it.gradient, border));
            let off = testkit::error(&found, &wanted);
            assert!(off < most, "{}: off by {off:e}", of(border));
        }
    }
}

#[test]
fn gradients_in_tiles_are_those_of_the_whole() {
    let listed = |layer: &str| Term::layer(layer).with_channels(Channels::Listed(vec![0, 3, 5]));
    let of = |layer: &str, shallow: &str| {
        [
            vec![Term::layer(layer)],
            vec![Term::layer(layer), Term::layer(shallow).weighing(0.3)],
            vec![listed(layer), Term { at: Some([0.3, 0.8]), ..listed(shallow) }],
            vec![Term { cosine: 2.0, ..listed(layer) }, guided(layer, 0.0)],
            vec![guided(shallow, 1.0)],
        ]
    };
    let deep = ["fire9/concat", "fire3/concat"];
    for (network, layers, size, tiles, machine) in [
        (toy(), ["relu2", "relu1"], (50, 71), [13, 24, 40], by_definition()),
        (inception(), ["mixed", "conv0"], (61, 90), [40, 51, 76], by_definition()),
        (inception(), ["mixed", "conv0"], (93, 150), [40, 61, 96], machine(2)),
        (squeezenet(), deep, (273, 398), [290, 340, 390], machine(2)),
    ] {
        for terms in of(layers[0], layers[1]) {
            let size = Size::new(size.0, size.1);
            compare((&network, &machine), terms, size, tiles, ROUNDING);
        }
    }
}

/// By Winograd's algorithm where the machine has it.
#[test]
fn gradients_in_tiles_by_winograds_algorithm_are_those_of_the_whole() {
    let terms = vec![Term::layer("second"), Term::layer("first").weighing(0.3)];
    // Two convolutions there and two back.
    let (network, most) = (smooth(), 4.0 * WINOGRAD);
    compare((&network, &detected()), terms, Size::new(93, 150), [40, 61, 96], most);
}

/// Means of means, of which one channel is what is above 190 and the other what is above 400.
fn thresholds() -> Network {
    let mut builder = GraphBuilder::new("data", 3);
    let window = Window::new([3, 3], [1, 1]).padded(Padding::Same);
    let means = |bias: Vec<f32>| {
        let count = bias.len();
        Op::Conv2d(Conv2d {
            window,
            out_channels: count,
            in_channels: 3,
            groups: 1,
            weights: (0..27 * count).map(|_| 1.0 / 27.0).collect(),
            bias: bias.into(),
        })
    };
    let first = builder.add("first", means(vec![0.0; 3]), &[builder.input()]);
    let pool = MaxPool { window: Window { stride: [2, 2], ..window } };
    let pool = builder.add("pool", Op::MaxPool(pool), &[first]);
    let second = builder.add("second", means(vec![-190.0, -400.0]), &[pool]);
    builder.add("above", Op::Relu, &[second]);
    testkit::network(builder.finish())
}

/// A channel that is 0 in most tiles and not in all is no dead channel.
#[test]
fn a_channel_is_dead_where_the_whole_picture_has_nothing_of_it() {
    let size = Size::new(70, 90);
    let mut shown = picture(70, 90);
    let bright = |at: usize| at % 90 < 16 && at % (70 * 90) / 90 < 16;
    shown.data.iter_mut().enumerate().filter(|(at, _)| bright(*at)).for_each(|(_, x)| *x = 255.0);
    let mut network = thresholds();
    network.input = InputSpec::default();
    let answers = channel_answers(&network, &by_definition(), "above", &shown, None).unwrap();
    assert!(answers[0] > 0.0 && answers[1] == 0.0, "{answers:?}");
    for channel in [0, 1] {
        let term = Term::layer("above").with_channels(Channels::Listed(vec![channel]));
        let gradient = |recipe: &Recipe| {
            let plan = Plan::new(recipe, &network, size, &by_definition()).unwrap();
            evaluate(&plan, &shown).unwrap().gradient
        };
        let whole = gradient(&recipe(vec![term.clone()]));
        assert!(whole.data.iter().any(|x| *x != 0.0), "{channel} has no gradient");
        let found = gradient(&tiled(&recipe(vec![term]), 40));
        let off = testkit::error(&found.data, &whole.data);
        assert!(off < ROUNDING, "{channel}: {off:e}");
    }
}

/// The same recipe with a term in each half of pictures of these proportions.
fn halved(recipe: &Recipe) -> (Recipe, Assets) {
    let halved = edited(recipe.clone(), |it| {
        it.regions = ["left", "right"].map(|name| (name.into(), Region::default())).into();
        it.objective[0].region = Some("left".into());
        it.objective[1].region = Some("right".into());
    });
    let half = |right: bool| {
        let data = (0..90 * 120).map(|at| f32::from(u8::from((at % 120 < 60) != right))).collect();
        Tensor { shape: Shape::new(1, 90, 120), data }
    };
    let masks = [("left".into(), half(false)), ("right".into(), half(true))].into();
    (halved, Assets { masks, ..Assets::default() })
}

/// Jitter, wobble, smoothing, regions, penalties and optimisers act on the whole picture.
#[test]
fn dreams_in_tiles_are_those_of_the_whole() {
    let plain = edited(recipe(vec![Term::layer("second"), Term::layer("first")]), |it| {
        (it.octaves.count, it.ascent.iterations, it.ascent.smoothing) = (2, 3, 0.7);
        it.balance = dream::Balance::Shares;
        it.penalty.tv = 0.1;
    });
    let (masked, assets) = halved(&plain);
    let spectrum = edited(plain.clone(), |it| {
        it.ascent.optimiser = Optimiser::Adam { betas: [0.9, 0.999] };
        it.ascent.parametrisation = Parametrisation::Spectrum;
        (it.ascent.bound, it.ascent.step) = (Bound::Sigmoid, 0.02);
        it.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
    });
    let network = smooth();
    for (machine, recipe, most) in [
        (machine(2), &plain, STEPS),
        (machine(1), &masked, STEPS),
        (machine(2), &spectrum, STEPS_OF_ADAM),
        (detected(), &plain, STEPS),
        (detected(), &masked, STEPS),
    ] {
        let dreamt = |recipe: &Recipe| {
            let size = Size::new(90, 120);
            let plan = Plan::with_assets(recipe, &assets, &network, size, &machine).unwrap();
            dream(&plan, picture(90, 120), &mut Watch::default()).unwrap()
        };
        let whole = dreamt(recipe);
        let (before, found) = (picture(90, 120), dreamt(&tiled(recipe, 56)));
        let change = |of: &Tensor| -> Vec<f32> {
            of.data.iter().zip(&before.data).map(|(x, before)| x - before).collect()
        };
        let off = testkit::error(&change(&found), &change(&whole));
        assert!(off < most, "{off:e} at {} by {recipe:?}", machine.context.level());
    }
}

#[test]
fn what_does_not_fit_whole_is_cut_into_the_largest_tiles_that_do() {
    let (network, size) = (squeezenet(), Size::new(600, 800));
    let recipe = recipe(vec![Term::layer("fire5/concat")]);
    let plan = |recipe: &Recipe, memory: u64| {
        Plan::new(recipe, &network, size, &Machine { memory, ..machine(2) })
    };
    let whole = plan(&recipe, 1 << 33).unwrap();
    assert_eq!((whole.recipe().tiles, whole.tiling()), (Tiles::Whole, None));
    let asked = plan(&tiled(&recipe, 0), 1 << 33).unwrap();
    assert_eq!(asked.recipe().tiles, Tiles::Whole, "nothing is cut that fits");
    let little = whole.memory() / 2;
    let Err(PlanError::Memory { tiled: Some(least), .. }) = plan(&recipe, little) else {
        panic!("there is too little")
    };
    let mut before = whole.memory();
    for share in [20, 40, 60] {
        let memory = whole.memory() - (whole.memory() - least) * share / 100;
        let cut = plan(&recipe, memory).unwrap();
        let Tiles::Exact { size } = cut.recipe().tiles else { panic!("{:?}", cut.recipe().tiles) };
        assert!(cut.memory() <= memory && cut.memory() < before, "{share}");
        before = cut.memory();
        // A recipe that says how large they are makes the same plan wherever there is more memory.
        let again = plan(cut.recipe(), 1 << 33).unwrap();
        assert_eq!(again.tiling(), cut.tiling());
        let larger = tiled(&recipe, size + size / 3);
        assert!(plan(&larger, 1 << 33).unwrap().memory() > memory, "{share}");
    }
    for asked in [&recipe, &tiled(&recipe, 0)] {
        let Err(error) = plan(asked, little) else { panic!("there is too little") };
        let PlanError::Memory { needed, tiled: Some(least), free, fits: Some(longest), .. } = error
        else {
            panic!("{error}");
        };
        assert_eq!((needed, free), (whole.memory(), little));
        // What is said to suffice does.
        assert!(free < least && plan(asked, least).unwrap().memory() == least && least < needed);
        assert!(plan(&Recipe { size: Some(longest), ..asked.clone() }, free).is_ok());
        let said = error.to_string();
        assert!(said.contains("in the smallest exact tiles, but only"), "{said}");
    }
}

#[test]
fn what_cannot_be_cut_is_refused_with_a_way_out() {
    let said = |recipe: &Recipe, network: &Network| {
        let size = Size::new(400, 500);
        Plan::new(recipe, network, size, &machine(2)).err().expect("it is refused").to_string()
    };
    let refused = said(&tiled(&recipe(vec![Term::layer("softmax")]), 200), &inception());
    assert!(refused.contains("at `average`") && refused.contains("\"whole\""), "{refused}");
    let short = tiled(&recipe(vec![Term::layer("fire9/concat")]), 100);
    let refused = said(&short, &squeezenet());
    let least: String = refused.chars().skip_while(|it| *it != '`').collect();
    let least: String = least.chars().filter(char::is_ascii_digit).collect();
    let enough = tiled(&short, least.parse().expect("a size"));
    assert!(
        Plan::new(&enough, &squeezenet(), Size::new(400, 500), &machine(2)).is_ok(),
        "{refused}"
    );
}

/// Whatever keeps a dream from being cut does not keep it from being whole.
#[test]
fn exact_tiles_of_no_given_size_are_the_whole_where_that_fits() {
    let plan = |recipe: &Recipe, network: &Network, size: Size, memory: u64| {
        Plan::new(recipe, network, size, &Machine { memory, ..machine(2) })
    };
    let (much, seen) = (1 << 33, Size::new(64, 64));
    let everywhere = tiled(&recipe(vec![Term::layer("softmax")]), 0);
    let small = tiled(&recipe(vec![Term::layer("relu1")]), 0);
    for (recipe, network, size) in
        [(&everywhere, inception(), seen), (&small, toy(), Size::new(8, 8))]
    {
        let cut = plan(recipe, &network, size, much).unwrap();
        assert_eq!((cut.recipe().tiles, cut.tiling()), (Tiles::Whole, None));
        let whole = Recipe { tiles: Tiles::Whole, ..recipe.clone() };
        assert_eq!(cut.memory(), plan(&whole, &network, size, much).unwrap().memory());
    }
    // Regions are gone through one by one before anything is cut.
    let (regions, assets) = halved(&recipe(vec![Term::layer("second"), Term::layer("first")]));
    let plan = |recipe: &Recipe, memory: u64| {
        let machine = Machine { memory, ..machine(2) };
        Plan::with_assets(recipe, &assets, &smooth(), Size::new(90, 120), &machine)
    };
    let most = plan(&regions, much).unwrap().memory();
    let whole = plan(&regions, most - 1).unwrap();
    let asked = plan(&tiled(&regions, 0), most - 1).unwrap();
    assert_eq!((asked.recipe(), asked.memory()), (whole.recipe(), whole.memory()));
    assert_eq!(asked.recipe().tiles, Tiles::Whole);
}

/// What free memory decides on one picture, the recipe says for many: a run that goes on makes the same frames.
#[test]
fn frames_are_cut_as_the_recipe_says_wherever_they_are_made() {
    let (network, first) = (Arc::new(squeezenet()), picture(300, 400));
    let recipe = edited(recipe(vec![Term::layer("fire5/concat")]), |it| {
        it.ascent.iterations = 1;
        it.zoom = Some(Zoom::default());
    });
    let zoom = |recipe: &Recipe, machine: &Machine| {
        ZoomDreamer::with_assets(recipe, Assets::default(), Arc::clone(&network), machine, &first)
    };
    let asked = tiled(&recipe, 0);
    assert_eq!(zoom(&asked, &machine(2)).unwrap().recipe().tiles, Tiles::Whole);
    let still = |recipe: &Recipe, machine: &Machine| {
        Plan::new(recipe, &network, first.shape.size(), machine).unwrap()
    };
    let little =
        Machine { memory: still(&tiled(&recipe, 240), &machine(2)).memory(), ..machine(2) };
    assert!(matches!(zoom(&recipe, &little), Err(PlanError::Memory { fits: Some(_), .. })));
    let refused = zoom(&asked, &little).err().expect("it is refused").to_string();
    assert!(refused.contains("`tiles.exact.size`"), "{refused}");
    let frame = |machine: &Machine| {
        let mut dreamer = zoom(&tiled(&recipe, 240), machine).unwrap();
        dreamer.frame(1, &first, &mut Watch::default()).unwrap()
    };
    assert_eq!(frame(&little), frame(&machine(2)));
    // A still by such a recipe is a still.
    assert!(still(&tiled(&recipe, 0), &little).tiling().is_some());
}

/// A dream that was cut says so in its recipe, which makes it again on any number of threads and with any memory,
/// and goes on only as it began.
#[test]
fn a_cut_dream_is_its_recipes_wherever_it_is_made() {
    let (network, size) = (squeezenet(), Size::new(300, 400));
    let recipe = edited(recipe(vec![Term::layer("fire5/concat")]), |it| it.ascent.iterations = 2);
    let plan = |recipe: &Recipe, memory: u64, threads: usize| {
        let context = Context::new(Threads::new(threads).unwrap(), CpuLevel::detect().unwrap());
        let backend = Arc::new(Cpu::new(context.clone()));
        Plan::new(
            recipe,
            &network,
            size,
            &Machine { backend, context, memory, scratch: Default::default() },
        )
        .unwrap()
    };
    let whole = plan(&recipe, 1 << 33, 2);
    let least = plan(&tiled(&recipe, 240), 1 << 33, 2).memory();
    assert!(least < whole.memory());
    let cut = plan(&recipe, least.midpoint(whole.memory()), 2);
    assert!(cut.tiling().is_some());
    let dreamt = |plan: &Plan| dream(plan, picture(300, 400), &mut Watch::default()).unwrap();
    let again = plan(cut.recipe(), 1 << 33, 3);
    assert_eq!(dreamt(&again), dreamt(&cut));
    let begun = |plan: &Plan| {
        let mut watch = Watch { stop_after: Some(1), ..Watch::default() };
        dream_from(plan, picture(300, 400), None, &mut watch).unwrap()
    };
    let go_on = |plan: &Plan, at: Checkpoint| {
        let dreamt = dream_from(plan, picture(300, 400), Some(at), &mut Watch::default())?;
        Ok::<_, dream::DreamError>(dreamt.into_picture())
    };
    assert_eq!(go_on(&again, begun(&cut)).unwrap(), dreamt(&cut));
    assert!(go_on(&whole, begun(&cut)).is_err() && go_on(&cut, begun(&whole)).is_err());
}
