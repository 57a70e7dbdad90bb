"""The cards of the Training page, a module each; `draw(page)` draws one."""
