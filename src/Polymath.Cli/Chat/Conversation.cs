using System.Text.Encodings.Web;
using System.Text.Json;
using Polymath.Chat;
using Polymath.Files;

namespace Polymath.Cli.Chat;

/// <summary>A conversation between a person and a model: system message, then turns; can be saved and loaded.</summary>
internal sealed class Conversation
{
    private const int MostBytes = 64 << 20;

    private readonly List<ChatMessage> _turns = [];

    /// <summary>Standing instructions; empty for none.</summary>
    public string System { get; set; } = "";

    /// <summary>Messages of person and model.</summary>
    public int Count => _turns.Count;

    /// <summary>All messages, as a template takes them.</summary>
    public IReadOnlyList<ChatMessage> Messages => System.Length == 0 ? [.. _turns] : [ChatMessage.System(System), .. _turns];

    /// <summary>Adds a message.</summary>
    public void Add(ChatMessage message) => _turns.Add(message);

    /// <summary>Forgets everything but the instructions.</summary>
    public void Clear() => _turns.Clear();

    /// <summary>Takes the last message of the person and what followed it back; null when there is none.</summary>
    public string? TakeBack()
    {
        int last = _turns.FindLastIndex(message => message.Role == ChatRole.User);
        if (last < 0)
            return null;
        string text = _turns[last].Text;
        _turns.RemoveRange(last, _turns.Count - last);
        return text;
    }

    /// <summary>Writes the conversation to a file, whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteStartArray("messages");
        foreach (ChatMessage message in Messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role", NameOf(message.Role));
            writer.WriteString("content", message.Text);
            if (message.Reasoning.Length > 0)
                writer.WriteString("reasoning", message.Reasoning);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    /// <summary>Replaces the conversation by that of a file; on an error it stays as it is.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It holds no conversation.</exception>
    public void Load(string path, CancellationToken cancellation)
    {
        string text = TextInput.ReadFile(path, cancellation, MostBytes);
        string system = "";
        var turns = new List<ChatMessage>();
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonElement message in document.RootElement.GetProperty("messages").EnumerateArray())
            {
                string content = message.GetProperty("content").GetString() ?? "";
                string? role = message.GetProperty("role").GetString();
                if (role == "system" && turns.Count == 0 && system.Length == 0)
                    system = content;
                else if (role == "user")
                    turns.Add(ChatMessage.User(content));
                else if (role == "assistant")
                    turns.Add(ChatMessage.Assistant(content, message.TryGetProperty("reasoning", out JsonElement r) ? r.GetString() ?? "" : ""));
                else
                    throw new InvalidDataException($"{path}: a message of \"{role}\" has no place in a conversation of this kind");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: not a saved conversation ({e.Message})", e);
        }

        System = system;
        _turns.Clear();
        _turns.AddRange(turns);
    }

    private static string NameOf(ChatRole role) => role switch
    {
        ChatRole.User => "user",
        ChatRole.Assistant => "assistant",
        _ => "system",
    };
}
