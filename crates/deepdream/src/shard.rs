//! The share of a video, a gallery or a batch that one of several machines makes: said, or told by the scheduler
//! that has started this program on each of them.

use std::fmt;
use std::str::FromStr;

/// One of several parts of the work, equally large, that machines share among them: written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// The frames of this part, of `frames` in all.
    pub(crate) fn range(self, frames: u64) -> std::ops::Range<u64> {
        let at = |part: u64| (u128::from(frames) * u128::from(part) / u128::from(self.of)) as u64;
        at(self.number - 1)..at(self.number)
    }

    /// Whether it is the first part.
    pub(crate) fn is_first(self) -> bool {
        self.number == 1
    }

    /// Whether one of several pictures, from 0, is of this part, where the parts take turns.
    pub(crate) fn has(self, picture: usize) -> bool {
        picture as u64 % self.of == self.number - 1
    }

    /// A name for files.
    pub(crate) fn tag(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// The most parts that work is shared among.
const MOST: u64 = 1_000_000;

impl FromStr for Shard {
    type Err = String;

    /// Reads `2/4`, or `auto` and `auto/4`, for which the scheduler's variables say which part this is: those of
    /// a Slurm job array, or of an indexed Kubernetes Job, which does not tell how many parts there are.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a shard. Write 1/4, 2/4, 3/4 and 4/4, for example, or auto")
        };
        let number = |text: &str| text.parse::<u64>().ok();
        let (part, of) = match text.split_once('/') {
            Some((part, of)) => (part, Some(number(of).ok_or_else(wrong)?)),
            None => (text, None),
        };
        if of.is_some_and(|of| !(1..=MOST).contains(&of)) {
            return Err(wrong());
        }
        if part == "auto" {
            return Self::scheduled(of, |name| std::env::var(name).ok());
        }
        match (number(part), of) {
            (Some(number), Some(of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(wrong()),
        }
    }
}

impl Shard {
    /// The part that a scheduler has given to this process, of `of` parts if that is said; `variable` gives the
    /// environment.
    fn scheduled(
        of: Option<u64>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        const SLURM: &str = "SLURM_ARRAY_TASK_ID";
        const KUBERNETES: &str = "JOB_COMPLETION_INDEX";
        let read = |name: &str| match variable(name) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) if number < u64::from(u32::MAX) => Ok(Some(number)),
                _ => Err(format!("{name} is `{text}`, which is no part. Write 1/4, for example")),
            },
        };
        let (index, known) = if let Some(task) = read(SLURM)? {
            let least = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or(task);
            let most = read("SLURM_ARRAY_TASK_MAX")?.unwrap_or(task);
            let count = read("SLURM_ARRAY_TASK_COUNT")?.unwrap_or(1);
            if !(least..=most).contains(&task) || most - least + 1 != count {
                let way = "Number its tasks from 1 to 4, for example, or write 1/4";
                return Err(format!(
                    "the tasks of this Slurm array have gaps between their numbers. {way}"
                ));
            }
            // It is one of an earlier array that is to run again, and does not know how many there were.
            if (of, count) == (None, 1) && task > 1 {
                return Err(format!(
                    "this Slurm array has one task, number {task}. Write {task}/8, for example"
                ));
            }
            (task - least, Some(count))
        } else if let Some(index) = read(KUBERNETES)? {
            (index, None)
        } else {
            let way = "Write 1/4, for example, or start it as a Slurm array or an indexed Job";
            return Err(format!("neither {SLURM} nor {KUBERNETES} says which part this is. {way}"));
        };
        let of = match (of, known) {
            (Some(said), Some(known)) if said != known => {
                let tasks = if known == 1 { "task" } else { "tasks" };
                return Err(format!(
                    "auto/{said} was asked for, but the Slurm array has {known} {tasks}"
                ));
            }
            (of, known) => of.or(known),
        };
        let number = index + 1;
        match of {
            Some(of @ 1..=MOST) if number <= of => Ok(Self { number, of }),
            Some(of) => {
                Err(format!("this is part {number}, of {of} in all: there are not so many"))
            }
            None => Err(format!(
                "{KUBERNETES} says which part this is, but not of how many. Write auto/8 for a Job of 8 completions"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for (frames, of) in [(10, 3), (2, 5), (0, 1), (100_000, 7)] {
            let mut next = 0;
            for number in 1..=of {
                let range = format!("{number}/{of}").parse::<Shard>().unwrap().range(frames);
                assert_eq!(range.start, next);
                next = range.end;
            }
            assert_eq!(next, frames);
        }
        let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).into();
        for picture in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.has(picture)).count(), 1);
        }
        for text in ["", "1", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3", "auto/0", "auto/x"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn schedulers_say_the_part() {
        let shard = |of, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            Shard::scheduled(of, variable).map(|shard| shard.to_string())
        };
        let slurm = |task, least, most, count| {
            [
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_ARRAY_TASK_MIN", least),
                ("SLURM_ARRAY_TASK_MAX", most),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ]
        };
        assert_eq!(shard(None, &slurm("3", "1", "4", "4")).unwrap(), "3/4");
        assert_eq!(shard(Some(4), &slurm("0", "0", "3", "4")).unwrap(), "1/4");
        assert_eq!(shard(Some(8), &[("JOB_COMPLETION_INDEX", "7")]).unwrap(), "8/8");
        for (of, set, reason) in [
            (None, slurm("5", "1", "5", "2").to_vec(), "gaps"),
            (Some(5), slurm("3", "1", "4", "4").to_vec(), "has 4 tasks"),
            (Some(8), slurm("3", "3", "3", "1").to_vec(), "has 1 task"),
            (None, slurm("3", "3", "3", "1").to_vec(), "one task, number 3. Write 3/8"),
            (None, vec![("JOB_COMPLETION_INDEX", "7")], "auto/8"),
            (Some(7), vec![("JOB_COMPLETION_INDEX", "7")], "not so many"),
            (Some(7), vec![("JOB_COMPLETION_INDEX", "18446744073709551615")], "no part"),
            (Some(7), vec![("JOB_COMPLETION_INDEX", "-1")], "no part"),
            (Some(4), vec![], "neither"),
        ] {
            let refused = shard(of, &set).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
