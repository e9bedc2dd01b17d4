"""The compiled steps: one of training, one of evaluation, and the evaluation loop."""

from segjax.step._evaluate import (
    draw_prediction,
    evaluate,
    make_eval_step,
    mean_loss,
)
from segjax.step._search import changed_examples, make_search_step
from segjax.step._state import State, create_state, evaluated_variables, saved_parts
from segjax.step._train import make_train_step

__all__ = [
    "State",
    "changed_examples",
    "create_state",
    "draw_prediction",
    "evaluate",
    "evaluated_variables",
    "make_eval_step",
    "make_search_step",
    "make_train_step",
    "mean_loss",
    "saved_parts",
]
