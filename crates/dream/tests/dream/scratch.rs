//! Pictures that do not fit in the memory: the dream is the same to the byte, wherever they lie.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dream::{
    Assets, Bound, Detail, Filter, Machine, NoiseKind, NoiseStart, Normalisation, Optimiser,
    Parametrisation, Penalty, Plan, PlanError, Recipe, Region, Tensor, Tiles, Wobble, dream,
};
use graph::{Scratch, Shape, Size, Storage, Stored};
use kernels::{Pages, ScratchValues};

use crate::common::{Watch, edited, machine, picture, toy};

/// Files of which the process holds nothing for long: each request lets the pages of all others go.
struct Files {
    folder: PathBuf,
    room: u64,
    pages: Mutex<Vec<Arc<Pages>>>,
    requests: AtomicUsize,
    /// How many bytes were told to have been touched.
    told: AtomicUsize,
}

struct Filed(ScratchValues);

impl AsRef<[f32]> for Filed {
    fn as_ref(&self) -> &[f32] {
        self.0.as_ref()
    }
}

impl AsMut<[f32]> for Filed {
    fn as_mut(&mut self) -> &mut [f32] {
        self.0.as_mut()
    }
}

impl Stored for Filed {}

impl Scratch for Files {
    fn zeros(&self, len: usize) -> Option<Box<dyn Stored>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let values = ScratchValues::zeros(&self.folder, len).ok()?;
        let mut pages = self.pages.lock().unwrap();
        pages.iter().for_each(|pages| pages.let_go());
        pages.extend(values.pages().cloned());
        Some(Box::new(Filed(values)))
    }

    fn failure(&self) -> Option<String> {
        (!self.folder.is_dir()).then(|| "the folder is gone".into())
    }

    fn touched(&self, bytes: usize) {
        self.told.fetch_add(bytes, Ordering::Relaxed);
    }

    fn room(&self) -> u64 {
        self.room
    }

    fn place(&self) -> String {
        "a shelf".into()
    }
}

const SIZE: Size = Size { height: 300, width: 400 };

fn files(folder: PathBuf, room: u64) -> Arc<Files> {
    let (pages, [requests, told]) = (Mutex::default(), [(); 2].map(|()| AtomicUsize::new(0)));
    Arc::new(Files { folder, room, pages, requests, told })
}

fn on(files: &Arc<Files>, memory: u64) -> Machine {
    let scratch = Storage::scratch(Arc::clone(files) as Arc<dyn Scratch>);
    Machine { memory, scratch, ..machine(2) }
}

fn recipe(change: impl FnOnce(&mut Recipe)) -> Recipe {
    edited(Recipe::default(), |it| {
        (it.octaves.count, it.octaves.anchor, it.ascent.iterations) = (2, 200, 2);
        it.tiles = Tiles::Exact { size: 90 };
        change(it);
    })
}

#[test]
fn a_dream_has_the_same_bytes_wherever_its_pictures_lie() {
    let folder = tempfile::tempdir().unwrap();
    let mask = |at: usize| (at % 400) as f32 / 400.0;
    let shape = Shape::new(1, SIZE.height, SIZE.width);
    let mask = Tensor { shape, data: (0..shape.len()).map(mask).collect() };
    let assets = Assets { masks: [("left".into(), mask)].into(), ..Assets::default() };
    let restrained = |it: &mut Recipe| {
        it.ascent.optimiser = Optimiser::adam();
        it.penalty = Penalty { tv: 0.1, blur: 0.1, pull: 0.1, ..Penalty::default() };
        (it.octaves.blur, it.octaves.filter) = (0.7, Filter::Lanczos);
        it.octaves.detail = Detail::Blend { share: 0.3 };
    };
    let recipes = [
        recipe(|_| ()),
        recipe(restrained),
        recipe(|it| {
            it.ascent.normalisation = Normalisation::Laplacian { levels: 3 };
            (it.ascent.smoothing, it.ascent.bound) = (1.5, Bound::Clip);
            it.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
            (it.finish.levels, it.finish.mix) = (0.5, 0.9);
        }),
        recipe(|it| {
            restrained(it);
            it.regions = [("left".into(), Region::default())].into();
            it.objective = vec![dream::Term::layer("relu1"), dream::Term::layer("relu2")];
            it.objective[0].region = Some("left".into());
        }),
        recipe(|it| {
            it.ascent.parametrisation = Parametrisation::Spectrum;
            (it.ascent.bound, it.ascent.step) = (Bound::Sigmoid, 0.02);
        }),
        recipe(|it| {
            it.noise_kind = NoiseKind::Spectrum;
            it.noise = Some(NoiseStart { width: 400, height: 300 });
        }),
        recipe(|it| {
            it.tiles = Tiles::Rolled { size: 90 };
            it.noise = Some(NoiseStart { width: 400, height: 300 });
        }),
    ];
    for recipe in recipes {
        let plan =
            |machine: &Machine| Plan::with_assets(&recipe, &assets, &toy(), SIZE, machine).unwrap();
        let dreamt = |plan: &Plan, picture: Tensor| {
            let start = if recipe.noise.is_some() { plan.noise(SIZE) } else { picture };
            dream(plan, start, &mut Watch::default()).unwrap()
        };
        let whole = plan(&machine(2));
        assert_eq!(whole.scratch(), 0);
        let files = files(folder.path().to_owned(), 1 << 40);
        let stored = plan(&on(&files, whole.memory() - 1));
        assert!(stored.scratch() > 0 && stored.memory() < whole.memory(), "{recipe:?}");
        let mut picture = picture(SIZE.height, SIZE.width);
        let expected = dreamt(&whole, picture.clone());
        picture.data = picture.data.of_storage(stored.storage());
        let found = dreamt(&stored, picture);
        assert!(found == expected, "{recipe:?}");
        assert!(files.requests.load(Ordering::Relaxed) > 8, "{recipe:?}");
    }
}

/// Of a file, a column brings as much into the memory as all rows that it crosses.
#[test]
fn passes_over_columns_tell_what_they_touch() {
    let folder = tempfile::tempdir().unwrap();
    let waves = recipe(|it| {
        it.ascent.parametrisation = Parametrisation::Spectrum;
        (it.ascent.bound, it.ascent.step, it.ascent.smoothing) = (Bound::Sigmoid, 0.02, 0.0);
    });
    let smooth = recipe(|it| it.ascent.smoothing = 1.0);
    let turned = recipe(|it| {
        (it.ascent.smoothing, it.ascent.wobble) = (0.0, Wobble { scale: [0.9, 1.1], angle: 10.0 });
    });
    for (recipe, pictures) in [(waves, 20), (smooth, 10), (turned, 10)] {
        let plan = |machine: &Machine| Plan::new(&recipe, &toy(), SIZE, machine).unwrap();
        let files = files(folder.path().to_owned(), 1 << 40);
        let stored = plan(&on(&files, plan(&machine(2)).memory() - 1));
        let mut picture = picture(SIZE.height, SIZE.width);
        picture.data = picture.data.of_storage(stored.storage());
        dream(&stored, picture, &mut Watch::default()).unwrap();
        let step = files.told.load(Ordering::Relaxed) / recipe.ascent.iterations as usize;
        let picture = 3 * SIZE.pixels() as usize * size_of::<f32>();
        assert!(step > pictures * picture, "{} of {picture}: {recipe:?}", step / picture);
    }
}

#[test]
fn what_finds_no_room_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(|_| ());
    let plan = |recipe: &Recipe, machine: &Machine| Plan::new(recipe, &toy(), SIZE, machine);
    let whole = plan(&recipe, &machine(2)).unwrap().memory();
    let little = files(folder.path().to_owned(), 1000);
    let Err(error) = plan(&recipe, &on(&little, whole - 1)) else { panic!("there is no room") };
    assert!(matches!(error, PlanError::Scratch { free: 1000, .. }), "{error}");
    assert!(error.to_string().contains("a shelf"), "{error}");
    // There is room until the dream begins.
    let gone = files(folder.path().join("none"), 1 << 40);
    let stored = plan(&recipe, &on(&gone, whole - 1)).unwrap();
    let lost = dream(&stored, picture(SIZE.height, SIZE.width), &mut Watch::default());
    assert_eq!(lost.unwrap_err().to_string(), "the folder is gone");
    let much = files(folder.path().to_owned(), 1 << 40);
    let refused = plan(&recipe, &on(&much, whole / 4)).err().expect("the network needs more");
    assert!(matches!(refused, PlanError::Memory { .. }), "{refused}");
}
