"""Pages for people: values of the views in HTML, without a script."""
