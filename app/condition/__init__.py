"""How the installation is: doctor, health, metrics and their history."""
