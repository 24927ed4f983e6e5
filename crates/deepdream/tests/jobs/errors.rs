//! What jobs refuse, and how they say it.

use deepdream::{
    CancelToken, Dreamer, Error, Fault, FramesJob, Knob, Length, NetworkChoice, RecipeSource,
    StillJob,
};

use crate::room::{Room, image, quick};

fn refused(job: &StillJob) -> Error {
    job.run(&(), &CancelToken::new()).unwrap_err()
}

fn knobs(error: &Error) -> Vec<Knob> {
    error.hints().iter().filter_map(|hint| hint.knob).collect()
}

#[test]
fn errors_say_whose_fault_they_are_and_what_to_turn() {
    let room = Room::new();
    let still = || StillJob { dream: quick(), ..StillJob::new(room.picture("a.png")) };

    let mut job = still();
    job.output = Some(room.picture("there.png"));
    let error = refused(&job);
    assert_eq!((error.fault(), error.path()), (Fault::Output, job.output.as_deref()));
    assert_eq!(knobs(&error), [Knob::Output, Knob::Overwrite]);

    let error = refused(&StillJob { dream: quick(), ..StillJob::new(room.path("none.png")) });
    assert_eq!(error.fault(), Fault::Picture);

    let mut job = still();
    job.dream.network = NetworkChoice::Named("no-such-network".to_owned());
    assert_eq!(refused(&job).fault(), Fault::Model);

    let mut job = still();
    job.dream.limits.memory = Some(1 << 16);
    let error = refused(&job);
    assert_eq!(error.fault(), Fault::Memory, "{error}");

    let error = refused(&StillJob { dream: quick(), ..StillJob::default() });
    assert_eq!((error.fault(), knobs(&error)), (Fault::Usage, vec![Knob::Noise]));
}

#[test]
fn fields_are_set_by_their_paths_and_misspelt_ones_name_the_nearest() {
    let network = deepdream::models::squeezenet().unwrap();
    let dreamer = Dreamer::new(&network).layer("conv1").set("octaves.count", "1");
    let dream = dreamer
        .clone()
        .set("ascent.iterations", "1")
        .set("octaves.detail.blend.share", "0.25")
        .dream(&image(24, 20))
        .unwrap();
    assert_eq!(dream.recipe().ascent.iterations, 1);
    assert!(dream.recipe().to_toml().contains("share = 0.25"));
    let error = dreamer.set("octave.count", "2").dream(&image(24, 20)).unwrap_err();
    assert_eq!(error.fault(), Fault::Recipe);
    assert!(error.message().contains("did you mean `octaves.count`"), "{error}");
}

#[test]
fn a_recipe_comes_from_a_file_a_text_or_a_value() {
    let room = Room::new();
    let mut job = StillJob { dream: quick(), ..StillJob::new(room.picture("a.png")) };
    job.dream.recipe.set("seed", 3);
    let recipe = job.run(&(), &CancelToken::new()).unwrap().recipe.unwrap();
    let first = std::fs::read(room.path("a.dream.png")).unwrap();
    let text = recipe.to_toml();
    for source in [
        RecipeSource::File(room.path("a.dream.png")),
        RecipeSource::Text { name: "mine".to_owned(), text: text.clone() },
        RecipeSource::Recipe(Box::new(recipe.clone())),
    ] {
        let mut again = StillJob::new(room.path("a.png"));
        again.output = Some(room.path("again.png"));
        again.overwrite = true;
        again.dream.recipe.base = Some(source);
        again.run(&(), &CancelToken::new()).unwrap();
        assert!(std::fs::read(room.path("again.png")).unwrap() == first);
    }
}

#[test]
fn a_motion_that_comes_to_rest_needs_an_end() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    let mut job = FramesJob { dream: quick(), ..FramesJob::new(room.path("sky")) };
    job.dream.recipe.set("zoom.motion.ease_out", 1);
    let error = job.run(&(), &CancelToken::new()).unwrap_err();
    assert_eq!((error.fault(), knobs(&error)), (Fault::Usage, vec![Knob::Count]));
    job.length = Length::Frames(2);
    let recipe = job.run(&(), &CancelToken::new()).unwrap().recipe.unwrap();
    assert_eq!(recipe.zoom.unwrap().length, Some(1.0 / 30.0));
}

#[test]
fn no_text_names_a_flag() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            // The command line is what it is asked for.
            if path.ends_with("workshop/command.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                let flag = line.split([' ', '(', '`', '"']).any(|word| {
                    word.strip_prefix("--")
                        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
                });
                assert!(!flag, "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }
    assert!(files > 20);
}
