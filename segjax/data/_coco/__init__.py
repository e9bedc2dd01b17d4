"""COCO's annotations: found, checked, and drawn as masks."""
