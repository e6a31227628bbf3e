"""Skill packs and the catalogue made from them."""
