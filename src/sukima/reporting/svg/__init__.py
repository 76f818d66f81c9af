"""Static drawings. The page's script only moves what is drawn here, so that a page without script says the same."""
