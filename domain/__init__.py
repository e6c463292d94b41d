"""The vocabulary of Vitals: pure, standard library only, imported by everybody, importing nobody."""
