"""A page on which people use a model; ``mmxclip.web.serve`` needs Gradio."""
