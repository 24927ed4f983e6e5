#!/usr/bin/env bash
# Shows that a video shared among the tasks of a Slurm array has the same bytes as on one machine, also where a
# task is killed and requeued: starts Debian's Slurm (munge, slurmctld, slurmd) on this machine, with files and
# ports of its own, submits `video.sbatch`, kills a task at work, joins the frames, compares. Debian 12, as root;
# installs what is missing, and ends the daemons it has started.
#
#   tools/cluster/slurm.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-target/release/deepdream}")
batch=$(realpath tools/cluster/video.sbatch)
parts=4
for tool in slurmctld slurmd munged ffmpeg; do
  command -v "$tool" > /dev/null && continue
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurm-wlm munge ffmpeg
  break
done

work=$(mktemp -d)
# Slurm's tools read this; a running Slurm of the machine stays as it is.
export SLURM_CONF="$work/slurm.conf"
end() {
  for daemon in slurmd slurmctld munged; do
    [ ! -s "$work/$daemon.pid" ] || kill "$(cat "$work/$daemon.pid")" 2> /dev/null || true
  done
  sleep 1
  rm -rf "$work"
}
trap end EXIT
mkdir -p "$work"/{state,spool,munge,job}
chmod 755 "$work" "$work/munge"
chown -R root:root "$work"
head -c 1024 /dev/urandom > "$work/munge.key"
chmod 400 "$work/munge.key"
munged --force --key-file="$work/munge.key" --socket="$work/munge/socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munge/log" --seed-file="$work/munge/seed"
host=$(hostname -s)
cat > "$SLURM_CONF" << EOF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
SlurmctldPort=27817
SlurmdPort=27818
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobRequeue=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
slurmctld
slurmd
for _ in $(seq 60); do
  ! sinfo -h -o %T | grep -q idle || break
  sleep 1
done
sinfo

cd "$work/job"
ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=12:duration=4 -f lavfi -i sine=duration=4 clip.mp4
echo "on one machine"
"$program" video clip.mp4 --coherence independent -o alone.mp4 --quiet

echo "in an array of $parts tasks"
array=$(sbatch --parsable --array="1-$parts" --cpus-per-task=1 --export=ALL,DEEPDREAM="$program" "$batch" clip.mp4 shared.mp4)
killed=no
for _ in $(seq 900); do
  task=$(squeue -h -t R -o %i | head -n 1)
  # A task that has made a frame is requeued by force, and so begins in the middle.
  if [ $killed = no ] && [ -n "$task" ] && ls shared/img_* > /dev/null 2>&1; then
    echo "kills and requeues task $task"
    scontrol requeue "$task"
    killed=yes
  fi
  [ -n "$(squeue -h -o %i)" ] || break
  sleep 0.3
done
scontrol show job "$array" -o | grep -o 'ArrayTaskId=[^ ]*\|JobState=[^ ]*\|Restarts=[^ ]*' | paste - - -
[ $killed = yes ] || { tail -n 3 slurm-*.out; echo "no task could be killed at work" >&2; exit 1; }
"$program" movie shared --quiet
cmp alone.mp4 shared.mp4
echo "the same bytes"
