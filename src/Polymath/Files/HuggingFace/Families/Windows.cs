namespace Polymath.Files.HuggingFace.Families;

/// <summary>Layers that see a sliding window alone, among others that see everything.</summary>
internal static class Windows
{
    /// <summary>
    /// Sets the window, and which layers have it where that differs from what GGUF takes for granted: all but every
    /// <paramref name="period"/>-th.
    /// </summary>
    public static void Write(Translation model, int layers, int window, int period, bool always = false)
    {
        model.Set("attention.sliding_window", window);
        bool[] sliding = [.. Enumerable.Range(0, layers).Select(layer => (layer + 1) % period != 0)];
        bool[] found = Read(model.Config, layers) ?? sliding;
        if (always || !found.AsSpan().SequenceEqual(sliding))
            model.Set("attention.sliding_window_pattern", found);
    }

    private static bool[]? Read(JsonFields config, int layers)
    {
        if (config.Texts("layer_types", config.Has("layer_types") ? layers : 0) is { } types)
        {
            return [.. types.Select(type => type switch
            {
                "sliding_attention" => true,
                "full_attention" => false,
                _ => throw config.Bad("layer_types", $"{FileLimits.Printable(type)} is not supported"),
            })];
        }

        if (!config.Has("sliding_window_pattern"))
            return null;
        int period = config.Int32("sliding_window_pattern", 1, int.MaxValue);
        return [.. Enumerable.Range(0, layers).Select(layer => (layer + 1) % period != 0)];
    }
}
