namespace Polymath.Chat.Parsing;

/// <summary>What one more character led to.</summary>
internal enum Outcome
{
    /// <summary>There is more to come.</summary>
    More,

    /// <summary>The name of the tool is complete.</summary>
    Named,

    /// <summary>What was read is complete with this character.</summary>
    Done,

    /// <summary>What was read was complete before this character, which belongs to something else.</summary>
    DoneBefore,

    /// <summary>This character cannot stand here.</summary>
    Bad,
}
