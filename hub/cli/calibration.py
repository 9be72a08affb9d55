"""``hub calibration``: how well stated confidences hold."""

from __future__ import annotations

import click

from hub.analyses.calibration import Reliability
from hub.analyses.learning import Target, read_calibration
from hub.cli.actor import as_user
from hub.contracts.actor import Actor


@click.command()
@click.option("--target", type=click.Choice([target.value for target in Target]), default="cause", show_default=True)
@click.option("--source", help="Only one rule or model version.")
@as_user
def calibration(actor: Actor, target: str, source: str | None) -> None:
    """Brier score, calibration error and the share that came true by stated confidence.

    Counts the person's own feedback (causes) and verdicts of repairs (fixes); everybody's for an operator.
    """
    report = read_calibration(actor, Target(target), source)
    coverage = "-" if report.coverage is None else f"{report.coverage:.0%}"
    click.echo(f"labels {report.labels}  analyses {report.analyses}  coverage {coverage}")
    click.echo(_line("shown", report.shown))
    click.echo(_line("stated", report.stated))
    for found in report.shown.bins:
        click.echo(
            f"  {found.low:.1f}-{found.high:.1f}  shown {found.stated:.2f}  came true {found.came_true:.2f}"
            f"  ({found.lowest:.2f} to {found.highest:.2f})  weight {found.weight:g}"
        )
    for row in report.sources:
        click.echo(f"  {row.source}  {row.labels}  came true {row.came_true:.0%}")


def _line(name: str, found: Reliability) -> str:
    if found.brier is None or found.ece is None:
        return f"{name:6}  no labels"
    return f"{name:6}  Brier {found.brier:.3f}  ECE {found.ece:.3f}"
