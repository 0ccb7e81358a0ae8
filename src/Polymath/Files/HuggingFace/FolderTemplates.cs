namespace Polymath.Files.HuggingFace;

/// <summary>
/// The chat template of a folder: chat_template.jinja, else a field of tokenizer_config.json, one text or several with names, else
/// that field of chat_template.json.
/// </summary>
internal static class FolderTemplates
{
    private const int FileBytes = 8 << 20;
    private const int MostNamed = 32;

    /// <summary>Puts what is there under GGUF's keys.</summary>
    /// <exception cref="ModelFormatException">A file is damaged or too large.</exception>
    public static void Write(string folder, Metadata metadata)
    {
        string alone = Path.Combine(folder, "chat_template.jinja");
        foreach (string name in (ReadOnlySpan<string>)["tokenizer_config.json", "chat_template.json"])
        {
            string path = Path.Combine(folder, name);
            if (!metadata.Contains("tokenizer.chat_template") && File.Exists(path))
                JsonFields.Parse(path, WithoutMark(SmallFile.Read(path, FileBytes)), fields => Read(fields, metadata));
        }

        if (File.Exists(alone))
            metadata.Set("tokenizer.chat_template", Text(alone));
    }

    private static bool Read(JsonFields fields, Metadata metadata)
    {
        var names = new List<string>();
        foreach ((string name, string template) in fields.Templates("chat_template", MostNamed))
        {
            if (name.Length == 0 || name == "default")
            {
                metadata.Set("tokenizer.chat_template", template);
            }
            else if (!names.Contains(name))
            {
                names.Add(name);
                metadata.Set($"tokenizer.chat_template.{name}", template);
            }
        }

        if (names.Count > 0)
            metadata.Set("tokenizer.chat_templates", names.ToArray());
        return names.Count > 0;
    }

    private static string Text(string path)
    {
        try
        {
            return FileLimits.StrictUtf8.GetString(WithoutMark(SmallFile.Read(path, FileBytes)).Span);
        }
        catch (System.Text.DecoderFallbackException e)
        {
            throw new ModelFormatException($"{path}: it is not valid UTF-8", e);
        }
    }

    /// <summary>Editors put a byte order mark before a text, which is no part of it.</summary>
    private static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) => bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes.AsMemory(3) : bytes;
}
