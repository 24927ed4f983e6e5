//! How much memory is free: the least of what the system, every control group the process is in, and the
//! process's own limits leave.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of memory that this process can still take. Where nobody says, nothing is refused for it.
pub fn free_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return u64::MAX };
    system.refresh_memory();
    system.available_memory().min(groups::free(Path::new("/"))).min(limits::free())
}

/// The limit that bounded what may be taken when that was last counted; 0 where something else did.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Bytes that may be taken now by a process that may have `limit` bytes in all.
pub(crate) fn memory_left(limit: Option<u64>) -> u64 {
    let (taken, free) = (taken_memory(), free_memory());
    let left = limit.map(|limit| limit.saturating_sub(taken)).filter(|left| *left < free);
    LIMIT.store(left.and(limit).unwrap_or(0), Ordering::Relaxed);
    left.unwrap_or(free)
}

/// `bytes` of which `free` might be taken when that was counted, with what the process had already: people see the
/// process as a whole, and read the limit that they have set as they set it, whatever has been taken since.
pub(crate) fn of_process(bytes: u64, free: u64) -> u64 {
    let taken = match LIMIT.load(Ordering::Relaxed) {
        0 => taken_memory(),
        limit => limit.saturating_sub(free),
    };
    bytes.saturating_add(taken)
}

/// Whether a limit that can be raised bounded what [`memory_left`] said last.
pub(crate) fn is_limited() -> bool {
    LIMIT.load(Ordering::Relaxed) > 0
}

/// Bytes in the unit in which limits are set.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// Whether this process may map files of any length.
pub(crate) fn has_addresses() -> bool {
    limits::has_addresses()
}

/// Bytes of memory that this process has now, where the system says.
pub(crate) fn taken_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status_line(&status, "VmRSS:").unwrap_or(0)
}

/// A line of a process's status on Linux, which counts in KiB, in bytes.
fn status_line(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The control groups of Linux, of both versions: each, and each that it lies in, may have a limit.
mod groups {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The files of one version: the limits, the use of them, and in `memory.stat` what of that the system
    /// takes back when it has to.
    struct Version {
        limits: &'static [(&'static str, &'static str)],
        reclaimable: &'static str,
    }

    const ONE: Version = Version {
        limits: &[
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            ("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"),
        ],
        reclaimable: "total_inactive_file",
    };

    const TWO: Version = Version {
        limits: &[("memory.max", "memory.current"), ("memory.high", "memory.current")],
        reclaimable: "inactive_file",
    };

    /// Bytes that the groups leave, on a system whose files lie below `root`.
    pub(super) fn free(root: &Path) -> u64 {
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        let (own, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
        let own = own.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some((fields.next()?, fields.next()?))
        });
        let mut least = u64::MAX;
        for (controllers, group) in own {
            let version = match controllers {
                "" => &TWO,
                _ if controllers.split(',').any(|name| name == "memory") => &ONE,
                _ => continue,
            };
            for (mounted, top) in mounts.lines().filter_map(|line| mount(line, version)) {
                // Seen from inside a container, a group may lie outside what is mounted.
                let inside = Path::new(group).strip_prefix(&mounted).unwrap_or(Path::new(""));
                let top = root.join(top.strip_prefix("/").unwrap_or(&top));
                let folders = top.join(inside);
                let folders = folders.ancestors().take_while(|folder| folder.starts_with(&top));
                least = folders.map(|folder| left(folder, version)).fold(least, u64::min);
            }
        }
        least
    }

    /// The group that is mounted and where, if a line of `mountinfo` tells of this version's groups.
    fn mount(line: &str, version: &Version) -> Option<(PathBuf, PathBuf)> {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let fits = match kind.next()? {
            "cgroup2" => std::ptr::eq(version, &TWO),
            "cgroup" => {
                let mut options = kind.nth(1)?.split(',');
                std::ptr::eq(version, &ONE) && options.any(|option| option == "memory")
            }
            _ => false,
        };
        let mut fields = place.split(' ').skip(3);
        let path = |text: &str| PathBuf::from(text.replace("\\040", " "));
        let found = (path(fields.next()?), path(fields.next()?));
        fits.then_some(found)
    }

    /// Bytes that the limits of one group leave.
    fn left(folder: &Path, version: &Version) -> u64 {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
        let stat = read("memory.stat").unwrap_or_default();
        let reclaimable = stat.lines().find_map(|line| {
            line.strip_prefix(version.reclaimable)?.strip_prefix(' ')?.parse::<u64>().ok()
        });
        let left = |&(limit, used): &(&str, &str)| {
            let used = number(used)?.saturating_sub(reclaimable.unwrap_or(0));
            Some(number(limit)?.saturating_sub(used))
        };
        version.limits.iter().filter_map(left).min().unwrap_or(u64::MAX)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// A system's root with these files.
        fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
            let root = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            root
        }

        const MOUNTED: &str = "24 1 0:22 / /sys rw - sysfs sysfs rw\n\
            30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n\
            35 24 0:30 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n";

        #[test]
        fn every_group_above_the_process_counts_in_both_versions() {
            let two = root(&[
                ("proc/self/cgroup", "0::/user.slice/job.scope\n"),
                ("proc/self/mountinfo", MOUNTED),
                ("sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n"),
                ("sys/fs/cgroup/user.slice/job.scope/memory.high", "900\n"),
                ("sys/fs/cgroup/user.slice/job.scope/memory.current", "100\n"),
                ("sys/fs/cgroup/user.slice/memory.max", "1000\n"),
                ("sys/fs/cgroup/user.slice/memory.current", "700\n"),
                ("sys/fs/cgroup/user.slice/memory.stat", "anon 1\ninactive_file 200\n"),
            ]);
            assert_eq!(free(two.path()), 500);
            let one = root(&[
                ("proc/self/cgroup", "4:cpu:/a\n7:memory:/job/part\n0::/job/part\n"),
                ("proc/self/mountinfo", MOUNTED),
                ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "268435456\n"),
                ("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "68435456\n"),
                ("sys/fs/cgroup/memory/job/memory.memsw.limit_in_bytes", "268435456\n"),
                ("sys/fs/cgroup/memory/job/memory.memsw.usage_in_bytes", "168435456\n"),
            ]);
            assert_eq!(free(one.path()), 100_000_000);
        }

        #[test]
        fn a_container_s_own_group_is_what_is_mounted() {
            let mounted = "30 24 0:27 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
            for own in ["0::/docker/abc\n", "0::/\n", "0::/../other\n"] {
                let root = root(&[
                    ("proc/self/cgroup", own),
                    ("proc/self/mountinfo", mounted),
                    ("sys/fs/cgroup/memory.max", "4096\n"),
                    ("sys/fs/cgroup/memory.current", "8192\n"),
                ]);
                assert_eq!(free(root.path()), 0, "{own}");
            }
        }

        #[test]
        fn without_groups_nothing_is_refused() {
            assert_eq!(free(root(&[]).path()), u64::MAX);
            let odd = root(&[
                ("proc/self/cgroup", "nonsense\n0::\n::::\n"),
                ("proc/self/mountinfo", "- cgroup2\n1 2 - cgroup cgroup\n - cgroup2 a b\n"),
            ]);
            assert_eq!(free(odd.path()), u64::MAX);
        }
    }
}

/// The limits that a process has for itself (`ulimit`).
#[cfg(target_os = "linux")]
mod limits {
    use nix::sys::resource::{Resource, getrlimit};

    use super::status_line;

    /// Whether there is none on addresses, of which files take some and memory as well.
    pub(super) fn has_addresses() -> bool {
        getrlimit(Resource::RLIMIT_AS).map_or(true, |(limit, _)| limit == nix::libc::RLIM_INFINITY)
    }

    /// Bytes that they leave.
    pub(super) fn free() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = [(Resource::RLIMIT_AS, "VmSize:"), (Resource::RLIMIT_DATA, "VmData:")];
        let left = |(limit, name): (Resource, &str)| match getrlimit(limit) {
            Ok((limit, _)) if limit != nix::libc::RLIM_INFINITY => {
                limit.saturating_sub(status_line(&status, name).unwrap_or(0))
            }
            _ => u64::MAX,
        };
        limits.map(left).into_iter().min().unwrap_or(u64::MAX)
    }
}

/// Other systems have no such limits, or do not say what is taken of them.
#[cfg(not(target_os = "linux"))]
mod limits {
    pub(super) fn has_addresses() -> bool {
        true
    }

    pub(super) fn free() -> u64 {
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_in_bytes() {
        let status = "VmPeak:\t    9 kB\nVmSize:\t 1234 kB\nVmData:\t\t 56 kB\n";
        assert_eq!(status_line(status, "VmSize:"), Some(1234 * 1024));
        assert_eq!(status_line(status, "VmData:"), Some(56 * 1024));
        assert_eq!(status_line(status, "VmRSS:"), None);
    }
}
