"""YAML files to frozen, validated objects; the environment is a parameter, never read here."""
