"""The cards of the Overview page, a module each; `draw(page)` draws one."""
