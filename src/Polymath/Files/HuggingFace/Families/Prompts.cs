namespace Polymath.Files.HuggingFace.Families;

/// <summary>What an embedding model wants before texts, from the config_sentence_transformers.json of sentence-transformers.</summary>
internal static class Prompts
{
    private const int FileBytes = 1 << 20;
    private const int Most = 256;

    /// <summary>Sets the names, the texts and the name of the default, where the folder has prompts.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or too large.</exception>
    public static void Write(Translation model)
    {
        string path = Path.Combine(model.Path, "config_sentence_transformers.json");
        if (File.Exists(path))
            _ = JsonFields.Parse(path, SmallFile.Read(path, FileBytes), json => Read(json, model));
    }

    private static bool Read(JsonFields json, Translation model)
    {
        (string Name, string Text)[] prompts = [.. json.NamedTexts("prompts", Most)];
        if (prompts.Length == 0)
            return false;
        model.Set("prompt.names", Array.ConvertAll(prompts, prompt => prompt.Name));
        model.Set("prompt.texts", Array.ConvertAll(prompts, prompt => prompt.Text));
        if (json.Text("default_prompt_name") is { } name)
            model.Set("prompt.default", Array.Exists(prompts, prompt => prompt.Name == name) ? name : throw json.Bad("default_prompt_name", "no such prompt"));
        return true;
    }
}
