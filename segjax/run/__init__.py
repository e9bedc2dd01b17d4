"""A config built into parts, the run folder, and a finished run for use."""

from segjax.run._announce import announce, conclude
from segjax.run._blocks import in_blocks
from segjax.run._config import (
    config_folder,
    data_options,
    data_source,
    load_config,
    options,
    override,
    reading_options,
)
from segjax.run._contents import contents
from segjax.run._encoder import check_new_folder, write_encoder
from segjax.run._folder import (
    check_place,
    check_workdir,
    default_workdir,
    differences,
    locked,
    plain,
    read_config,
    write_config,
    write_json,
)
from segjax.run._found import find_in_data, with_found
from segjax.run._history import best_step, evaluated_steps, stands_still
from segjax.run._init import load_variables, start_from, used_variables
from segjax.run._load import (
    fingerprint,
    load_splits,
    measure_for_task,
    open_rows,
    settled_task,
    show_examples,
)
from segjax.run._parts import Parts, build_parts
from segjax.run._remote import Remote, is_remote, local_folder
from segjax.run._results import (
    TEXTS,
    clean,
    column_of,
    forget_scores,
    numbers_of,
    read_rows,
    read_scores,
    write_rows,
    write_scores,
)
from segjax.run._steps import changed_optimizer, changes_of_steps, told_of_steps
from segjax.run._stop import StopRequest, stop_requests
from segjax.run._use import Run, fitted_temperature, load_run
from segjax.run._whole import whole

__all__ = [
    "TEXTS",
    "Parts",
    "Remote",
    "Run",
    "StopRequest",
    "announce",
    "best_step",
    "build_parts",
    "changed_optimizer",
    "changes_of_steps",
    "check_new_folder",
    "check_place",
    "check_workdir",
    "clean",
    "column_of",
    "conclude",
    "config_folder",
    "contents",
    "data_options",
    "data_source",
    "default_workdir",
    "differences",
    "evaluated_steps",
    "find_in_data",
    "fingerprint",
    "fitted_temperature",
    "forget_scores",
    "in_blocks",
    "is_remote",
    "load_config",
    "load_run",
    "load_splits",
    "load_variables",
    "local_folder",
    "locked",
    "measure_for_task",
    "numbers_of",
    "open_rows",
    "options",
    "override",
    "plain",
    "read_config",
    "read_rows",
    "read_scores",
    "reading_options",
    "settled_task",
    "show_examples",
    "stands_still",
    "start_from",
    "stop_requests",
    "told_of_steps",
    "used_variables",
    "whole",
    "with_found",
    "write_config",
    "write_encoder",
    "write_json",
    "write_rows",
    "write_scores",
]
