"""What people and programs are shown: pure values here, their routes in ``api``."""
