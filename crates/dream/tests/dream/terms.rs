//! What an objective can ask for: channels, places, classes, directions, and what several terms weigh.

use std::ops::ControlFlow;

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{
    Assets, Balance, Channels, DreamError, Guide, Observer, Pick, Plan, PlanError, Progress,
    Recipe, Tensor, Term, Tiles, Zoom, ZoomDreamer, dream, evaluate,
};
use graph::{Conv2d, Dense, GraphBuilder, MaxPool, Network, Op, Size, Window};

const SIZE: Size = Size { height: 40, width: 56 };

fn recipe(objective: &str) -> Recipe {
    let mut recipe = edited(Recipe::default(), |recipe| {
        recipe.octaves.count = 2;
        recipe.ascent.iterations = 3;
        recipe.ascent.jitter = 8;
    });
    recipe.set("objective", objective).unwrap();
    recipe
}

fn plan(recipe: &Recipe, network: &Network) -> Plan {
    Plan::new(recipe, network, SIZE, &machine(2)).unwrap()
}

fn dreamt(recipe: &Recipe, network: &Network, threads: usize) -> Tensor {
    let plan = Plan::new(recipe, network, SIZE, &machine(threads)).unwrap();
    dream(&plan, picture(SIZE.height, SIZE.width), &mut Watch::default()).unwrap()
}

fn gradient(recipe: &Recipe, network: &Network) -> Vec<f32> {
    evaluate(&plan(recipe, network), &picture(SIZE.height, SIZE.width))
        .unwrap()
        .gradient
        .data
        .into_vec()
}

fn refusal(recipe: &Recipe, network: &Network) -> String {
    Plan::new(recipe, network, SIZE, &machine(1)).err().unwrap().to_string()
}

fn near(found: &[f32], expected: &[f32]) -> bool {
    testkit::error(found, expected) < 1e-4
}

/// Every kind of term, on layers of the toy network.
const KINDS: [&str; 7] = [
    r#"[{ layer = "relu2", channels = [0, 3] }]"#,
    r#"[{ layer = "relu2", channels = "strongest 2" }]"#,
    r#"[{ layer = "relu2", channels = "not 1 2", measure = "energy" }]"#,
    r#"[{ layer = "pool", measure = "linear" }]"#,
    r#"[{ layer = "relu2", channels = [1], at = [0.7, 0.2] }, { layer = "relu1", weight = 0.5 }]"#,
    r#"[{ layer = "relu2", channels = [0, 1], cosine = 2 }, { layer = "conv2", weight = -1 }]"#,
    r#"[{ layer = "relu1" }, { layer = "relu1", channels = "average 2" }]"#,
];

#[test]
fn dreams_do_not_depend_on_the_threads() {
    for objective in KINDS {
        for tiles in [Tiles::Whole, Tiles::Rolled { size: 32 }, Tiles::Scattered { size: 32 }] {
            let recipe = Recipe { tiles, ..recipe(objective) };
            let one = dreamt(&recipe, &toy(), 1);
            assert_eq!(one, dreamt(&recipe, &toy(), 2), "{objective} {tiles:?}");
            assert_ne!(one, picture(SIZE.height, SIZE.width), "{objective} {tiles:?}");
        }
    }
}

#[test]
fn resolved_recipes_list_what_was_chosen_and_give_the_same_dream() {
    for objective in KINDS {
        let recipe = recipe(objective);
        let start = picture(SIZE.height, SIZE.width);
        let mut resolved = plan(&recipe, &toy());
        resolved.choose_channels(&start).unwrap();
        let resolved = resolved.recipe().clone();
        for term in &resolved.objective {
            let listed = matches!(term.channels, None | Some(Channels::Listed(_)));
            assert!(listed, "{objective}: {term:?}");
        }
        let read = Recipe::from_toml(&resolved.to_toml()).unwrap();
        assert_eq!(read, resolved);
        assert_eq!(dreamt(&read, &toy(), 2), dreamt(&recipe, &toy(), 2), "{objective}");
    }
}

#[test]
fn a_whole_layer_by_any_name_is_the_dream_it_was() {
    let plain = dreamt(&recipe(r#"[{ layer = "relu2" }]"#), &toy(), 2);
    for same in [
        r#"[{ layer = "relu2", measure = "energy" }]"#,
        r#"[{ layer = "relu2", weight = 0.5 }, { layer = "relu2", weight = 0.5 }]"#,
    ] {
        assert_eq!(dreamt(&recipe(same), &toy(), 2), plain, "{same}");
    }
    // All channels' energy is the layer's, computed another way.
    let all = recipe(r#"[{ layer = "relu2", channels = [0,1,2,3,4,5,6,7], measure = "energy" }]"#);
    let layer = recipe(r#"[{ layer = "relu2" }]"#);
    assert!(near(&gradient(&all, &toy()), &gradient(&layer, &toy())));
}

#[test]
fn weights_scale_and_add_up() {
    let alone = |objective: &str| {
        let recipe = Recipe { balance: Balance::Raw, ..recipe(objective) };
        gradient(&recipe, &toy())
    };
    let a = alone(r#"[{ layer = "relu2", channels = [0, 1] }]"#);
    let b = alone(r#"[{ layer = "relu1" }]"#);
    let both = alone(
        r#"[{ layer = "relu2", channels = [0, 1], weight = 2 }, { layer = "relu1", weight = -0.01 }]"#,
    );
    let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 2.0 * a - 0.01 * b).collect();
    assert!(near(&both, &expected));
}

#[test]
fn shares_count_alike_whatever_the_size_of_gradients() {
    let balanced = |weight: f32| {
        let objective = format!(
            r#"[{{ layer = "relu2", channels = [0] }}, {{ layer = "relu1", weight = {weight} }}]"#
        );
        let plan = plan(&recipe(&objective), &toy());
        let evaluated = evaluate(&plan, &picture(SIZE.height, SIZE.width)).unwrap();
        let magnitude = |objective: &str| {
            let gradient = gradient(&recipe(objective), &toy());
            gradient.iter().map(|x| f64::from(x.abs())).sum::<f64>() / gradient.len() as f64
        };
        let a = magnitude(r#"[{ layer = "relu2", channels = [0] }]"#);
        let b = magnitude(r#"[{ layer = "relu1" }]"#);
        [f64::from(evaluated.weights[0]) * a, f64::from(evaluated.weights[1]) * b]
    };
    for (weight, shares) in [(1.0, [0.5, 0.5]), (3.0, [0.25, 0.75]), (-1.0, [0.5, -0.5])] {
        for (found, share) in balanced(weight).into_iter().zip(shares) {
            assert!((found - share).abs() < 1e-4, "{found} instead of {share}");
        }
    }
}

/// Remembers terms without a gradient.
#[derive(Default)]
struct Silent(Vec<Term>);

impl Observer for Silent {
    fn step(&mut self, _: &Progress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn silent(&mut self, term: &Term) {
        self.0.push(term.clone());
    }
}

#[test]
fn a_term_without_a_gradient_leaves_its_share_to_the_others() {
    let network = dying();
    let objective = r#"[{ layer = "pool", channels = [1] }, { layer = "relu", channels = [0] }]"#;
    let plan = plan(&recipe(objective), &network);
    let mut silent = Silent::default();
    let both = dream(&plan, picture(SIZE.height, SIZE.width), &mut silent).unwrap();
    assert_eq!(silent.0, [plan.recipe().objective[0].clone(), plan.recipe().objective[0].clone()]);
    let alone = recipe(r#"[{ layer = "relu", channels = [0] }]"#);
    // The factor of a step is the same but for rounding.
    assert!(near(&both.data, &dreamt(&alone, &network, 2).data));
}

/// A network whose channel 1 is dead.
fn dying() -> Network {
    let conv = |outputs: usize, bias: &[f32]| Conv2d {
        window: Window::new([1, 1], [1, 1]),
        out_channels: outputs,
        in_channels: 3,
        groups: 1,
        weights: (0..3 * outputs).map(|i| [0.5, -0.25, 0.125][i % 3] * (1 + i) as f32).collect(),
        bias: bias.into(),
    };
    let mut builder = GraphBuilder::new("data", 3);
    let conv = Op::Conv2d(conv(2, &[300.0, -9000.0]));
    let conv = builder.add("conv", conv, &[builder.input()]);
    let relu = builder.add("relu", Op::Relu, &[conv]);
    let window = Window::new([2, 2], [2, 2]);
    builder.add("pool", Op::MaxPool(MaxPool { window }), &[relu]);
    let mut network = toy();
    network.graph = builder.finish();
    network
}

#[test]
fn a_dead_channel_grows_where_it_has_a_relu_of_its_own() {
    let network = dying();
    let of = |objective: &str| {
        let plan = plan(&recipe(objective), &network);
        dream(&plan, picture(SIZE.height, SIZE.width), &mut Watch::default())
    };
    assert!(of(r#"[{ layer = "relu", channels = [1] }]"#).is_ok());
    for silent in [
        r#"[{ layer = "relu", channels = [1], measure = "energy" }]"#,
        r#"[{ layer = "relu", channels = [1], weight = -1 }]"#,
        r#"[{ layer = "pool", channels = [1] }]"#,
    ] {
        assert!(matches!(of(silent), Err(DreamError::NoGradient { .. })), "{silent}");
    }
    let dead = gradient(&recipe(r#"[{ layer = "relu", channels = [1] }]"#), &network);
    let before = gradient(&recipe(r#"[{ layer = "conv", channels = [1] }]"#), &network);
    assert_eq!(dead, before);
}

#[test]
fn a_place_grows_there_alone() {
    let recipe = recipe(r#"[{ layer = "relu2", channels = [0, 1, 2, 3], at = [0.75, 0.25] }]"#);
    let gradient = gradient(&recipe, &toy());
    let (x, y) = (42, 10);
    for (index, value) in gradient.iter().enumerate() {
        let (row, column) = (index / SIZE.width % SIZE.height, index % SIZE.width);
        let far = row.abs_diff(y).max(column.abs_diff(x)) > 8;
        assert!(!far || *value == 0.0, "{row}, {column}: {value}");
    }
    assert!(gradient.iter().any(|&value| value != 0.0));
}

/// A network of classes: a map of 4 channels, and what `head` makes scores of 3 of.
fn classifier(hidden: bool) -> Network {
    let values = |count: usize| (0..count).map(|i| ((i * 7919) % 13) as f32 / 13.0 - 0.4);
    let conv = Op::Conv2d(Conv2d {
        window: Window::new([2, 2], [2, 2]),
        out_channels: 4,
        in_channels: 3,
        groups: 1,
        weights: values(48).collect(),
        bias: values(4).collect::<Vec<_>>().into(),
    });
    let dense = |ins: usize, outs: usize| {
        Op::Dense(Dense {
            out_features: outs,
            in_features: ins,
            weights: values(ins * outs).collect(),
            bias: values(outs).collect::<Vec<_>>().into(),
        })
    };
    let mut builder = GraphBuilder::new("data", 3);
    let conv = builder.add("conv", conv, &[builder.input()]);
    let relu = builder.add("relu", Op::Relu, &[conv]);
    let scores = if hidden {
        let first = builder.add("fc1", dense(4 * 5 * 5, 6), &[relu]);
        let relu = builder.add("relu_fc1", Op::Relu, &[first]);
        builder.add("fc2", dense(6, 3), &[relu])
    } else {
        let mean = builder.add("mean", Op::GlobalAveragePool, &[relu]);
        builder.add("fc", dense(4, 3), &[mean])
    };
    builder.add("softmax", Op::Softmax, &[scores]);
    let mut network = toy();
    network.graph = builder.finish();
    network.labels = ["tabby, tabby cat", "crane", "crane"].map(str::to_owned).into();
    network
}

#[test]
fn a_class_is_a_direction_of_the_layer_before_the_average() {
    let network = classifier(false);
    let class = plan(&recipe(r#"[{ class = "tabby" }]"#), &network);
    assert_eq!(class.recipe().to_toml().matches("class = 0").count(), 1);
    let found = evaluate(&class, &picture(SIZE.height, SIZE.width)).unwrap();
    let values: Vec<String> =
        network.graph.node(network.graph.find("fc").unwrap()).op.weights().unwrap().get().unwrap()
            [..4]
            .iter()
            .map(f32::to_string)
            .collect();
    let mut direction = recipe(r#"[{ layer = "relu" }]"#);
    direction.set("vectors", &format!("{{ v = {{ values = [{}] }} }}", values.join(","))).unwrap();
    direction.set("objective", r#"[{ layer = "relu", vector = "v" }]"#).unwrap();
    let direction = evaluate(&plan(&direction, &network), &picture(SIZE.height, SIZE.width));
    assert_eq!(found, direction.unwrap());
}

#[test]
fn a_class_behind_hidden_layers_needs_the_training_size_and_takes_larger_pictures() {
    let network = classifier(true);
    let recipe = edited(recipe("[{ class = 0 }]"), |recipe| recipe.octaves.count = 1);
    let at = |size| Plan::new(&recipe, &network, size, &machine(1));
    let trained = at(Size::new(10, 10)).unwrap();
    let found = evaluate(&trained, &picture(10, 10)).unwrap();
    // At that size, the class is the score itself.
    let scores = edited(recipe.clone(), |recipe| {
        let text = r#"[{ layer = "fc2", channels = [0] }]"#;
        recipe.set("objective", text).unwrap();
    });
    let scores = Plan::new(&scores, &network, Size::new(10, 10), &machine(1)).unwrap();
    let expected = evaluate(&scores, &picture(10, 10)).unwrap();
    assert!(near(&found.gradient.data, &expected.gradient.data));
    assert!((found.value / expected.value - 1.0).abs() < 1e-4);
    assert!(at(Size::new(9, 12)).is_err());
    dream(&at(SIZE).unwrap(), picture(SIZE.height, SIZE.width), &mut Watch::default()).unwrap();
}

#[test]
fn what_a_network_does_not_have_is_refused() {
    for (objective, said) in [
        (
            r#"[{ layer = "relu2", channels = [8] }]"#,
            "layer `relu2` has 8 channels, numbered 0 to 7: there is no 8",
        ),
        (
            r#"[{ layer = "relu2", channels = "strongest 9" }]"#,
            "\"strongest 9\": layer `relu2` has 8 channels",
        ),
        (r#"[{ layer = "relu2", channels = "not 9" }]"#, "there is no 9"),
        (
            r#"[{ layer = "relu2", channels = "not 0 1 2 3 4 5 6 7" }]"#,
            "\"not 0 1 2 3 4 5 6 7\": layer `relu2` has 8 channels",
        ),
        (r#"[{ class = 3 }]"#, "the network toy has no classes: it ends in `relu2`"),
    ] {
        let error = refusal(&recipe(objective), &toy());
        assert!(error.contains(said), "{objective}: {error}");
    }
    let mut vector = recipe(r#"[{ layer = "relu2" }]"#);
    vector.set("vectors", "{ smile = { values = [1, 2] } }").unwrap();
    vector.set("objective", r#"[{ layer = "relu2", vector = "smile" }]"#).unwrap();
    let said = "vector \"smile\" has 2 values, layer `relu2` has 8 channels";
    assert_eq!(refusal(&vector, &toy()), said);
    for (class, said) in [
        ("\"crane\"", "\"crane\" is 2 classes, 1 (crane) and 2 (crane): use the number"),
        (
            "\"tabbi\"",
            "the network toy has no class \"tabbi\": did you mean \"tabby, tabby cat\" (0)?",
        ),
        ("3", "classes of toy are numbered 0 to 2: there is no 3"),
    ] {
        let recipe = recipe(&format!("[{{ class = {class} }}]"));
        assert_eq!(refusal(&recipe, &classifier(false)), said);
    }
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    for (objective, said) in [
        (
            r#"[{ layer = "a" }, { layer = "a", class = 1 }]"#,
            "objective 2 names both a layer and a class: keep one",
        ),
        ("[{ weight = 2 }]", "objective 1 names neither a layer nor a class: give it one"),
        (r#"[{ layer = "a", channels = [] }]"#, "empty list"),
        (r#"[{ layer = "a", channels = "strongst 5" }]"#, "\"strongst 5\" chooses no channels"),
        (r#"[{ layer = "a", vector = "v" }]"#, "the recipe has no vectors"),
        (r#"[{ class = 1, channels = [1] }]"#, "keep one"),
        (r#"[{ layer = "a", at = [1.2, 0.5] }]"#, "from 0 up to, not including, 1"),
        (r#"[{ layer = "a", cosine = 1 }]"#, "cosine needs measure = \"linear\""),
        (r#"[{ layer = "a", channels = [1], cosine = 9 }]"#, "objective.cosine"),
        (r#"[{ layer = "a", chanels = [1] }]"#, "chanels"),
    ] {
        let error = Recipe::default().set("objective", objective).unwrap_err().to_string();
        assert!(error.contains(said), "{objective}: {error}");
    }
}

#[test]
fn keyframes_fade_terms_and_a_zoom_chooses_its_channels_once() {
    let mut recipe = recipe(r#"[{ layer = "relu2", channels = "strongest 1" }]"#);
    recipe.octaves.count = 1;
    recipe.zoom = Some(Zoom { fps: 1.0, ..Zoom::default() });
    let keys = r#"[
        { at = 0, set = { objective = [{ layer = "relu2", channels = "weakest 1" }] } },
        { at = 2, set = { objective = [
            { layer = "relu2", channels = "weakest 1" }, { layer = "relu1", channels = [2], weight = 3 }
        ] } },
    ]"#;
    recipe.set("zoom.keyframes", keys).unwrap();
    let first = picture(SIZE.height, SIZE.width);
    let frame = |threads: usize| {
        let network = std::sync::Arc::new(toy());
        let mut dreamer = ZoomDreamer::new(&recipe, network, &machine(threads), &first).unwrap();
        let text = dreamer.recipe().to_toml();
        assert!(!text.contains("strongest") && !text.contains("weakest"), "{text}");
        dreamer.frame(1, &first, &mut Watch::default()).unwrap()
    };
    assert_eq!(frame(1), frame(2));
    // Half way, the term of both has its whole first share and a quarter of the second.
    let settled = recipe.at(1.0).unwrap().objective;
    let weights: Vec<f32> = settled.iter().map(|term| term.weight).collect();
    assert_eq!((settled.len(), &weights[..]), (2, &[1.0, 1.5][..]));
}

/// Energy's gradient is the layer's values, and so are a guide's at the same place, if it is the picture.
#[test]
fn a_picture_that_is_its_own_guide_at_every_place_dreams_of_its_layer() {
    let (before, size) = (picture(40, 56), Size::new(40, 56));
    let stepped = |edit: &dyn Fn(&mut Recipe)| {
        let recipe = edited(Recipe::default(), |recipe| {
            recipe.octaves.count = 1;
            recipe.ascent.iterations = 1;
            recipe.objective = vec![Term::layer("relu2")];
            edit(recipe);
        });
        let guides = [("same".to_owned(), before.clone())].into();
        let assets = Assets { guides, ..Assets::default() };
        let plan = Plan::with_assets(&recipe, &assets, &toy(), size, &machine(2))?;
        Ok::<_, PlanError>(dream(&plan, before.clone(), &mut Watch::default()).unwrap())
    };
    let guided = |recipe: &mut Recipe| {
        recipe.guides = [("same".to_owned(), Guide::default())].into();
        let term = &mut recipe.objective[0];
        (term.guides, term.pick) = (vec!["same".into()], Pick::Place);
    };
    let (energy, place) = (stepped(&|_| ()).unwrap(), stepped(&guided).unwrap());
    assert!(testkit::error(&place.data, &energy.data) < 1e-6);
    assert!(testkit::error(&energy.data, &before.data) > 1e-4);
    let said = |edit: &dyn Fn(&mut Recipe)| stepped(edit).unwrap_err().to_string();
    let tiled = |recipe: &mut Recipe| {
        guided(recipe);
        recipe.tiles = Tiles::Rolled { size: 32 };
    };
    assert!(said(&tiled).contains("needs the whole picture"));
    let two = |recipe: &mut Recipe| {
        guided(recipe);
        recipe.guides.insert("other".into(), Guide::default());
        recipe.objective[0].guides.push("other".into());
    };
    assert!(said(&two).contains("takes one"));
}

/// A picture that one term stretches is larger than another, which looks for what is like it, is to see it.
#[test]
fn a_guide_is_seen_in_its_size_however_large_its_picture_is() {
    let (large, guide) = (picture(80, 112), Guide { size: 56, ..Guide::default() });
    let small = guide.picture(&large, None);
    let value = |seen: &Tensor| {
        let mut recipe = recipe(r#"[{ layer = "relu2", guides = ["one"] }]"#);
        recipe.guides = [("one".to_owned(), guide.clone())].into();
        let guides = [("one".to_owned(), seen.clone())].into();
        let assets = Assets { guides, ..Assets::default() };
        let plan = Plan::with_assets(&recipe, &assets, &toy(), SIZE, &machine(2)).unwrap();
        evaluate(&plan, &picture(40, 56)).unwrap().value
    };
    assert_eq!(value(&large), value(&small));
}
