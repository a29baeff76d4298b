"""sample: a number of pupils -> a synthetic district in a folder"""

import argparse
from pathlib import Path

from ruleforge.authoring.indiana_sample import write_indiana_sample
from ruleforge.commands.host import Exit, Host, UsageError


def sample(arguments: argparse.Namespace, host: Host) -> Exit:
    """Writes the sample, and says how to check it."""
    folder, year = Path(arguments.folder), arguments.school_year
    try:
        write_indiana_sample(
            folder,
            pupils=arguments.pupils,
            seed=arguments.seed,
            school_year=year.start_year,
            layout=arguments.layout,
        )
    except OSError as mistake:
        raise UsageError(f"{folder} cannot be written: {mistake.strerror or mistake}") from None
    host.say(
        f"Wrote a synthetic district to {folder};"
        f" {folder / 'planted.csv'} lists every fault in it.\n"
        f"Next: ruleforge check indiana.special_education {folder} --set school_year={year} "
        f"--set count_date={year.start_year}-12-01\n"
    )
    return Exit.CLEAN
