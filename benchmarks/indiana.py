"""Indiana's special education rules over a synthetic district: RuleForge beside Polars and DuckDB.

    python benchmarks/indiana.py --pupils 1000000

writes the seeded district once, as CSV and as Parquet, and lets each contender find what the rules
SpecialEducation-1 to -19 report, one process after another, in turns. All have to report the same
pupils by the same rules, each as often; otherwise it ends with 1. Printed are the median time, the
time of the processor, the most memory held, and how that compares with Polars by hand.

The evidence that RuleForge passes over each table once, Polars' own plan of each pass, is printed
in short and written whole into the folder, `passes.txt`.
"""

import argparse
import datetime as dt
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

import indiana_contender as contender
from ruleforge.authoring.indiana_sample import write_indiana_sample

HERE = Path(__file__).resolve().parent
# What it is called, its script and its arguments. The others are compared with the first.
CONTENDERS: dict[str, tuple[str, ...]] = {
    "Polars by hand": ("indiana_polars.py",),
    "DuckDB by hand": ("indiana_duckdb.py",),
    "RuleForge, the rules alone": ("indiana_ruleforge.py", "--rules-alone"),
    "RuleForge": ("indiana_ruleforge.py",),
}
KINDS = ("parquet", "csv")
DATES = r"_date$"
FLAGS = ("primary_school", "idea_eligibility", "is_choice", "is_adult_charter")
TIMED = ("queries", "statements", "read", "evaluate")  # of a run's stages, those that count


def main() -> int:
    """Runs the benchmark as the command line says; gives the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the district is written, or is already")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="a file for every figure")
    parser.add_argument("--count-date", type=dt.date.fromisoformat, default=dt.date(2023, 12, 1))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ruleforge-bench-") as temporary:
        folder = asked.folder or Path(temporary)
        rows = district(folder, asked.pupils, asked.seed)
        figures, alike = races(folder, asked.repeat, asked.count_date)
        evidence = figures["parquet"]["RuleForge"]["evidence"]
        (folder / "passes.txt").write_text(
            "\n".join(text for pair in evidence for text in pair), encoding="utf-8"
        )
        report(asked, rows, figures)
        print(f"\n{passes(evidence)}")
        if asked.folder:
            print(f"whole plans: {folder / 'passes.txt'}")
    if asked.json:
        setting = {"pupils": asked.pupils, "seed": asked.seed, "count_date": str(asked.count_date)}
        text = json.dumps({"setting": setting | machine(), "rows": rows, "figures": figures})
        asked.json.write_text(text, encoding="utf-8")
    if not alike:
        print("the contenders do not report the same rows", file=sys.stderr)
    return 0 if alike else 1


# ── the data ───────────────────────────────────────────────────────────────────────────────────


def district(folder: Path, pupils: int, seed: int) -> dict[str, int]:
    """Writes the district where it is not there yet; gives the number of rows of each table."""
    done = folder / "district.json"
    wanted = {"pupils": pupils, "seed": seed}
    if not done.is_file() or json.loads(done.read_text(encoding="utf-8")) != wanted:
        write_indiana_sample(folder, pupils=pupils, seed=seed)
        for name in (*contender.TABLES, "corporation"):
            typed(folder / f"{name}.csv").sink_parquet(folder / f"{name}.parquet")
        done.write_text(json.dumps(wanted), encoding="utf-8")
    frames = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in contender.TABLES}
    return {name: frame.select(pl.len()).collect().item() for name, frame in frames.items()}


def typed(path: Path) -> pl.LazyFrame:
    """A table as a warehouse would hold it: dates, booleans, and program codes, no program names."""
    frame = pl.scan_csv(path, infer_schema=False)
    names = frame.collect_schema().names()
    flags = [name for name in FLAGS if name in names]
    frame = frame.with_columns(
        pl.col(f"^.*{DATES}").str.to_date("%Y-%m-%d", strict=False),
        pl.col(flags).replace_strict({"true": True, "false": False}, default=None),
    )
    if "program" in names:
        frame = frame.with_columns(pl.col("program").replace(contender.PROGRAM_NAMES))
    return frame


# ── the runs ───────────────────────────────────────────────────────────────────────────────────


def races(folder: Path, repeat: int, count_date: dt.date) -> tuple[dict[str, dict[str, Any]], bool]:
    """The median figures by kind of file and contender, and whether all reported the same."""
    figures: dict[str, dict[str, Any]] = {}
    reported: list[pl.DataFrame] = []
    for kind in KINDS:
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
        # In turns, so that a slow minute of the machine is nobody's alone.
        for _ in range(repeat):
            for name, command in CONTENDERS.items():
                run, findings = one_run(command, folder, kind, count_date)
                runs[name].append(run)
                reported.append(findings)
        figures[kind] = {name: median(each) for name, each in runs.items()}
    return figures, all(each.equals(reported[0]) for each in reported)


def one_run(
    command: tuple[str, ...], folder: Path, kind: str, count_date: dt.date
) -> tuple[dict[str, Any], pl.DataFrame]:
    """One contender in a process of its own: its figures, and how often each rule reports whom."""
    script, *options = command
    out = folder / "findings.parquet"
    arguments = [str(folder), kind, "--count-date", str(count_date), "--out", str(out), *options]
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr}")
    counts = pl.read_parquet(out).group_by("rule", "student").len()
    out.unlink()
    return json.loads(done.stdout), counts.sort("rule", "student")


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of the runs; what does not vary is that of the first."""

    def stages(clock: str) -> dict[str, float]:
        return {
            name: statistics.median(run[clock][name] for run in runs) for name in runs[0][clock]
        }

    wall, processor = stages("wall"), stages("processor")
    return runs[0] | {
        "wall": wall,
        "processor": processor,
        "seconds": sum(wall.get(name, 0.0) for name in TIMED),
        "processor_seconds": sum(processor.get(name, 0.0) for name in TIMED),
        "peak_bytes": statistics.median(run["peak_bytes"] for run in runs),
    }


# ── the report ─────────────────────────────────────────────────────────────────────────────────


def machine() -> dict[str, Any]:
    """Where the figures were measured."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": platform.platform(),
        "threads": pl.thread_pool_size(),
        "python": platform.python_version(),
        "polars": pl.__version__,
    }


def report(
    asked: argparse.Namespace, rows: dict[str, int], figures: dict[str, dict[str, Any]]
) -> None:
    """Prints the figures."""
    where = machine()
    sizes = ", ".join(f"{number:,} {name}" for name, number in rows.items())
    print(f"seed {asked.seed}, count date {asked.count_date}: {sizes}")
    print(", ".join(f"{name} {value}" for name, value in where.items()))
    print(f"median of {asked.repeat}; ratios to {next(iter(CONTENDERS))}\n")
    heads = ("file", "contender", "checks", "findings", "time", "", "processor", "", "memory", "")
    lines = [heads]
    for kind, contenders in figures.items():
        first = next(iter(contenders.values()))
        for name, each in contenders.items():
            seconds, processor = each["seconds"], each["processor_seconds"]
            lines.append(
                (
                    kind,
                    name,
                    str(each["checks"]),
                    f"{each['findings']:,}",
                    f"{seconds:.2f} s",
                    f"{seconds / first['seconds']:.2f}×",
                    f"{processor:.2f} s",
                    f"{processor / first['processor_seconds']:.2f}×",
                    f"{each['peak_bytes'] / 2**20:,.0f} MiB",
                    f"{each['peak_bytes'] / first['peak_bytes']:.2f}×",
                )
            )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        print("  ".join(c.ljust(w) if n < 2 else c.rjust(w) for n, (c, w) in enumerate(cells)))
    for kind, contenders in figures.items():
        wall = contenders["RuleForge"]["wall"]
        print(
            f"RuleForge, {kind}: load {wall['load']:.2f} s, read {wall['read']:.2f} s,"
            f" evaluate {wall['evaluate']:.2f} s; not in the table: loading the rulebook, and"
            f" writing out every finding with message and values, {wall['messages']:.2f} s"
        )


def passes(evidence: list[list[str]]) -> str:
    """What the plans say: by table the rules of its pass, and how often its own rows are scanned."""
    lines = ["RuleForge's passes, from Polars' plans (parquet):"]
    for ours, theirs in evidence:
        head = ours.partition("\n")[0]
        numbered = theirs.count("ROW INDEX")
        lines.append(
            f"  {head}; {numbered} numbered scan of the table judged,"
            f" {theirs.count(' JOIN:')} joins, {theirs.count('CACHE[id')} readings of shared parts"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
