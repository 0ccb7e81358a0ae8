namespace Polymath.Files.HuggingFace.Families;

/// <summary>How an embedding model makes one vector of a text, from the modules.json of sentence-transformers.</summary>
internal static class Pooling
{
    /// <summary>GGUF's number for the score of a reranker.</summary>
    public const int Rank = 4;

    private const int FileBytes = 1 << 16;

    /// <summary>Sets pooling_type where the folder says how; a folder without modules.json says nothing.</summary>
    public static void Write(Translation model)
    {
        string path = Path.Combine(model.Path, "1_Pooling", "config.json");
        if (File.Exists(path) && File.Exists(Path.Combine(model.Path, "modules.json")))
            model.Set("pooling_type", JsonFields.Parse(path, SmallFile.Read(path, FileBytes), Read));
    }

    private static int Read(JsonFields json) =>
        json.Bool("pooling_mode_mean_tokens") ? 1
        : json.Bool("pooling_mode_cls_token") ? 2
        : json.Bool("pooling_mode_lasttoken") ? 3
        : json.Text("pooling_mode") switch
        {
            "mean" => 1,
            "cls" => 2,
            "lasttoken" => 3,
            _ => throw json.Bad("pooling_mode", "only the mean, the first and the last token are supported"),
        };
}
