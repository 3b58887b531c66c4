//! A Slurm of one machine: its programs, started in a folder of their own on free ports, and ended with the test.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// The programs that it takes.
const PROGRAMS: [&str; 7] = [
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "scancel",
    "scontrol",
    "squeue",
];

pub(super) struct Cluster {
    dir: PathBuf,
    /// The daemons, in the order in which they were started.
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts a Slurm in a folder, whose arrays have at most `largest_array` tasks. Gives the reason where it cannot.
    pub(super) fn start(dir: &Path, largest_array: usize) -> Result<Result<Self, String>> {
        if !is_root()? {
            return Ok(Err("only root can start a Slurm".to_owned()));
        }
        if let Some(missing) = PROGRAMS.iter().find(|name| !is_installed(name)) {
            return Ok(Err(format!(
                "{missing} is not installed (Debian: slurm-wlm and munge)"
            )));
        }
        fs::create_dir_all(dir)?;
        // Munge demands that all may enter the folder of its socket.
        for folder in [Some(dir), dir.parent()].into_iter().flatten() {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
        for name in ["state", "spool"] {
            fs::create_dir(dir.join(name))?;
        }
        let key = dir.join("munge.key");
        fs::write(&key, [7; 256])?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400))?;
        let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
        let host = host.trim().split('.').next().unwrap_or_default().to_owned();
        fs::write(dir.join("slurm.conf"), config(dir, &host, largest_array)?)?;
        let mut cluster = Self {
            dir: dir.to_owned(),
            daemons: Vec::new(),
        };
        // Where Slurm itself cannot work, such as in a sandbox, nothing is said about the program.
        match cluster.start_all() {
            Ok(()) => Ok(Ok(cluster)),
            Err(error) => Ok(Err(format!("Slurm does not come up here: {error:#}"))),
        }
    }

    fn start_all(&mut self) -> Result<()> {
        let option = |name: &str, file: &str| format!("--{name}={}", self.dir.join(file).display());
        let munge = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            option("key-file", "munge.key"),
            option("socket", "munge.sock"),
            option("pid-file", "munged.pid"),
            option("log-file", "munged.log"),
            option("seed-file", "munged.seed"),
        ];
        let munge: Vec<_> = munge.iter().map(String::as_str).collect();
        self.daemon("munged", &munge)?;
        let socket = self.dir.join("munge.sock");
        self.wait("munged", || socket.exists())?;
        self.daemon("slurmctld", &["-D"])?;
        self.daemon("slurmd", &["-D"])?;
        let is_idle = || {
            let output = self.command("sinfo").args(["-h", "-o", "%t"]).output();
            output.is_ok_and(|output| output.stdout.starts_with(b"idle"))
        };
        self.wait("slurmd", is_idle)
    }

    fn daemon(&mut self, name: &str, arguments: &[&str]) -> Result<()> {
        let log = fs::File::create(self.dir.join(format!("{name}.out")))?;
        let daemon = self
            .command(name)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn();
        self.daemons.push(daemon.with_context(|| name.to_owned())?);
        Ok(())
    }

    fn wait(&self, name: &str, mut is_there: impl FnMut() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !is_there() {
            if begun.elapsed() > Duration::from_secs(30) {
                let read = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
                let logs = [
                    read(&format!("{name}.out")),
                    read("slurmctld.log"),
                    read("slurmd.log"),
                ];
                anyhow::bail!("{name} does not come up:\n{}", logs.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// A program that talks to this Slurm.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.dir.join("slurm.conf"));
        for name in [
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "SLURM_JOB_ID",
            "SLURM_ARRAY_TASK_ID",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Numbers of the processes, other than the daemons, that this Slurm has started.
    fn others(&self) -> Vec<String> {
        let config = format!("SLURM_CONF={}", self.dir.join("slurm.conf").display());
        let mut ids = processes_with(&[config]);
        ids.retain(|id| self.daemons.iter().all(|x| x.id().to_string() != *id));
        ids
    }

    /// Number of the process that is a task of an array.
    pub(super) fn task(&self, job: u64, index: usize) -> Option<String> {
        let config = format!("SLURM_CONF={}", self.dir.join("slurm.conf").display());
        let job = format!("SLURM_ARRAY_JOB_ID={job}");
        let index = format!("SLURM_ARRAY_TASK_ID={index}");
        processes_with(&[config, job, index]).into_iter().next()
    }
}

/// Numbers of the processes whose environment has all of these variables with these values.
fn processes_with(variables: &[String]) -> Vec<String> {
    let has_all = |entry: &fs::DirEntry| {
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        let has = |wanted: &String| {
            environ
                .split(|&byte| byte == 0)
                .any(|x| x == wanted.as_bytes())
        };
        variables.iter().all(has)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter(has_all).map(|entry| entry.file_name());
    ids.map(|id| id.to_string_lossy().into_owned()).collect()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.daemons.len() == 3 {
            let _ = self.command("scancel").args(["--me", "--quiet"]).output();
            let begun = Instant::now();
            while !self.others().is_empty() && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        for id in self.others() {
            let _ = Command::new("kill").args(["-KILL", &id]).output();
        }
        for daemon in self.daemons.iter_mut().rev() {
            let _ = Command::new("kill").arg(daemon.id().to_string()).output();
            let begun = Instant::now();
            while matches!(daemon.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(5)
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn config(dir: &Path, host: &str, largest_array: usize) -> Result<String> {
    let ports = [
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    ];
    let [controller, node] = [ports[0].local_addr()?.port(), ports[1].local_addr()?.port()];
    let dir = dir.to_str().context("a path that is text")?;
    ensure!(!dir.contains(' '), "slurm.conf cannot hold {dir}");
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get().min(2));
    Ok(format!(
        "ClusterName=test\n\
         SlurmctldHost={host}(127.0.0.1)\n\
         SlurmUser=root\n\
         SlurmdUser=root\n\
         AuthType=auth/munge\n\
         AuthInfo=socket={dir}/munge.sock\n\
         CredType=cred/munge\n\
         ProctrackType=proctrack/linuxproc\n\
         TaskPlugin=task/none\n\
         JobAcctGatherType=jobacct_gather/none\n\
         AccountingStorageType=accounting_storage/none\n\
         SelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU\n\
         SchedulerType=sched/backfill\n\
         SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0\n\
         MpiDefault=none\n\
         ReturnToService=2\n\
         MaxArraySize={largest_array}\n\
         StateSaveLocation={dir}/state\n\
         SlurmdSpoolDir={dir}/spool\n\
         SlurmctldPidFile={dir}/slurmctld.pid\n\
         SlurmdPidFile={dir}/slurmd.pid\n\
         SlurmctldLogFile={dir}/slurmctld.log\n\
         SlurmdLogFile={dir}/slurmd.log\n\
         SlurmctldPort={controller}\n\
         SlurmdPort={node}\n\
         NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} State=UNKNOWN\n\
         PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP\n"
    ))
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}
